// llama.cpp's tokens a second, on the processor or by Vulkan: node llama.mjs MODEL.gguf cpu|vulkan THREADS PROMPT ANSWER
// Prints lines "NAME RATE". Prompt and answer are as long as those of rigbench's workloads; the context is made once.
import { getLlama } from "node-llama-cpp";

const [modelPath, backend, threads, prompt, answer] = process.argv.slice(2);
const vulkan = backend === "vulkan";
const llama = await getLlama({ gpu: vulkan ? "vulkan" : false, build: "never", progressLogs: false, logLevel: "error" });
if (vulkan && !llama.gpu) throw new Error("llama.cpp found no Vulkan device and would run on the processor");
const model = await llama.loadModel({ modelPath, gpuLayers: vulkan ? "max" : 0 });
const tokens = model.tokenize("The price of a kilowatt-hour decides what a machine should do next. ".repeat(60)).slice(0, Number(prompt));
const context = await model.createContext({ contextSize: Number(prompt) + Number(answer), batchSize: 512, threads: Number(threads) });
const sequence = context.getSequence();
const rates = { prefill: [], decode: [] };
for (let round = 0; round < (vulkan ? 1 : 4); round++) {
    await sequence.clearHistory();
    const began = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(0, -1));
    const filled = performance.now();
    let written = 0;
    for await (const _ of sequence.evaluate(tokens.slice(-1), { temperature: 0 })) {
        if (++written === Number(answer)) break;
    }
    const done = performance.now();
    rates.prefill.push((tokens.length - 1) / (filled - began) * 1e3);
    rates.decode.push(written / (done - filled) * 1e3);
}
// The best of the rounds: llama.cpp's own, not a mean with its first.
for (const [phase, all] of Object.entries(rates)) console.log(`llama-${backend}-${phase}`, Math.max(...all));
process.exit(0);
