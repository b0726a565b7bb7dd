
// Parameters of a decoder step.
struct Step {
    position: u32, // of each sequence's first token
    tokens: u32,   // per sequence
    rows: u32,     // tokens of all sequences
    pad: u32,
}
