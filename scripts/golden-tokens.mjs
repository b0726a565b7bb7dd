// Greedy tokens by llama.cpp on the processor: node golden-tokens.mjs MODEL.gguf SHA256 >tokens.json
// Run it through golden-tokens.sh, which installs what it imports.
import { readFileSync } from "node:fs";
import { getLlama } from "node-llama-cpp";

const FRESH = 64;
const prompts = [
    { name: "prose", text: "The history of computing is long and full of surprising turns. In the nineteenth century," },
    { name: "code", text: "def fibonacci(n):\n    \"\"\"Returns the n-th Fibonacci number.\"\"\"\n    if n < 2:\n        return n\n" },
    { name: "chat", text: "<|im_start|>user\nWhy is the sky blue, and why are sunsets red?<|im_end|>\n<|im_start|>assistant\n" },
    { name: "marks", text: "Café prices, 2024: espresso €2.50, tea £3.75;\tlunch   can't exceed 12'000 ¥ — naïve?\n\n1. 咖啡 ☕\n2." },
    { name: "list", text: "Planets and their moons:\n- Earth: the Moon\n- Mars: Phobos and Deimos\n- Jupiter: Io, Europa, Ganymede and Callisto\n- Saturn:" },
    { name: "long", text: "Water evaporates from the sea, forms clouds, and falls again as rain on the hills. ".repeat(8) + "This cycle" },
];

// Text that is hard to cut: only its tokens are recorded.
const texts = [
    "", " ", "  ", "\n", " \n ", "a  b", "a   ", "\t\tx\t", "\r\n\r\n", "  12  345 6", "x1y22z333", "½ ² Ⅷ ٣ 七", "don't CAN'T we'll I'M 'tis ''s",
    "<|im_start|><|im_end|>x<|im_end", " <|endoftext|> ", "<|im_start", "naïve e\u0301 Å ß Ǆ", "שלום مرحبا नमस्ते สวัสดี", "🙂👩‍👩‍👧 🇩🇪", "\u00a0\u2003x\u3000y", "\u200b\ufeff\u0000\u0001",
    "\u{40000}\u{10ffff}", "fn main() { println!(\"{}\", 0x1f_u8 << 3); } // ---===>>>", "__init__ snake_case CamelCase kebab-case", "....!!!???  ...", "http://example.com/?q=1&b=2#c",
];

const [modelPath, sha256] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", progressLogs: false });
const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
const recorded = [];
for (const { name, text } of prompts) {
    const context = await model.createContext({ contextSize: 1024, batchSize: 512, threads: 2 });
    const prompt = model.tokenize(text, true);
    const fresh = [];
    const options = { temperature: 0, yieldEogToken: true };
    for await (const token of context.getSequence().evaluate(prompt, options)) {
        fresh.push(token);
        if (fresh.length === FRESH) break;
    }
    if (fresh.length !== FRESH) throw new Error(`${name}: llama.cpp stopped after ${fresh.length} tokens`);
    recorded.push({ name, text, prompt, continuation: fresh, continuation_text: model.detokenize(fresh, true, prompt) });
    await context.dispose();
}
const peer = JSON.parse(readFileSync(new URL("node_modules/node-llama-cpp/package.json", import.meta.url), "utf8"));
const made = {
    by: "scripts/golden-tokens.sh",
    node_llama_cpp: peer.version,
    llama_cpp: llama.llamaCppRelease.release,
    backend: "cpu",
    sampling: "greedy, past the end of a text",
    gguf: "SmolLM2-135M-Instruct.Q4_1.gguf",
    gguf_sha256: sha256,
};
// One prompt's tokens a line, so that a difference can be read.
const cut = texts.map((text) => ({ text, tokens: model.tokenize(text, true) }));
const inner = JSON.stringify({ made, prompts: recorded, texts: cut }, null, 2);
process.stdout.write(inner.replace(/\[\s+([\d,\s]+?)\s+\]/g, (_, ids) => `[${ids.replace(/\s+/g, " ")}]`) + "\n", () => process.exit(0));
