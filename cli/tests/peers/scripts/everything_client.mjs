// A client on the official SDK of either line, in front of the reference server that has everything.
//
//   node everything_client.mjs 1|2 COMMAND ARGS...
//   node everything_client.mjs 1|2 URL SECRET
//
// The SDK is looked for from the working directory. Prints a line of JSON for each thing it did.
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/");
const [line, command, ...args] = process.argv.slice(2);
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");

let Client, StdioClientTransport, StreamableHTTPClientTransport, sampling;
if (line === "1") {
  ({ Client } = require("@modelcontextprotocol/sdk/client/index.js"));
  ({ StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js"));
  ({ StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js"));
  sampling = require("@modelcontextprotocol/sdk/types.js").CreateMessageRequestSchema;
} else {
  ({ Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client"));
  ({ StdioClientTransport } = require("@modelcontextprotocol/client/stdio"));
  sampling = "sampling/createMessage";
}

const client = new Client({ name: "test", version: "1" }, { capabilities: { sampling: {} } });
client.setRequestHandler(sampling, async () => {
  say({ sampled: true });
  return { role: "assistant", model: "m", content: { type: "text", text: "sampled" } };
});
const headers = { Authorization: `Bearer ${args[0]}` };
const transport = command.startsWith("http")
  ? new StreamableHTTPClientTransport(new URL(command), { requestInit: { headers } })
  : new StdioClientTransport({ command, args, stderr: "ignore" });
await client.connect(transport);
const { tools } = await client.listTools();
say({ shown: tools.map((tool) => tool.name).sort() });
say({ prompts: (await client.listPrompts()).prompts.length });
for (const [name, args] of [
  ["echo", { message: "hello" }],
  ["echo", { message: "goodbye" }],
  ["get-sum", { a: 1, b: 2 }],
  ["get-env", {}],
  ["trigger-sampling-request", { prompt: "hi", maxTokens: 10 }],
]) {
  try {
    const result = await client.callTool({ name, arguments: args });
    say({ called: name, failed: result.isError === true, text: result.content[0].text });
  } catch (error) {
    say({ called: name, failed: true, text: String(error.message) });
  }
}
for (const uri of ["demo://resource/dynamic/text/1", "demo://resource/dynamic/text/2"]) {
  try {
    say({ read: uri, failed: false, many: (await client.readResource({ uri })).contents.length });
  } catch (error) {
    say({ read: uri, failed: true, text: String(error.message) });
  }
}
if (command.startsWith("http")) await transport.terminateSession();
await client.close();
