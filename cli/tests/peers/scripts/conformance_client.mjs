// A client of the official conformance suite, on the SDK of line 1: lists the tools, and calls each once.
//
//   node conformance_client.mjs COMMAND ARGS... --url URL
//
// The SDK is looked for from the working directory.
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/");
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = require("@modelcontextprotocol/sdk/client/stdio.js");

const [command, ...args] = process.argv.slice(2);
const client = new Client({ name: "test", version: "1" }, { capabilities: {} });
await client.connect(new StdioClientTransport({ command, args, stderr: "inherit" }));
const { tools } = await client.listTools();
for (const { name } of tools) {
  await client.callTool({ name, arguments: name === "add_numbers" ? { a: 5, b: 3 } : {} });
}
await client.close();
