// The editor of editor.py by the official TypeScript SDK.
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { Readable, Writable } from "node:stream";
import * as acp from "@agentclientprotocol/sdk";

const [folder, command, ...args] = process.argv.slice(2);
const { client: editorSide, agent: agentSide } = acp.methods;
const tell = (what) => console.log(JSON.stringify(what));
const terminals = new Map();

const gate = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
const app = acp
  .client({ name: "editor" })
  .onNotification(editorSide.session.update, ({ params }) => {
    if (params.update.sessionUpdate === "agent_message_chunk") console.log(params.update.content.text);
  })
  .onRequest(editorSide.session.requestPermission, () => {
    tell({ user: "is asked" });
    return { outcome: { outcome: "cancelled" } };
  })
  .onRequest(editorSide.fs.readTextFile, async ({ params }) => {
    tell({ did: "read", path: params.path });
    return { content: await readFile(params.path, "utf8") };
  })
  .onRequest(editorSide.fs.writeTextFile, async ({ params }) => {
    tell({ did: "write", path: params.path });
    await writeFile(params.path, params.content);
    return {};
  })
  .onRequest(editorSide.terminal.create, ({ params }) => {
    tell({ did: "run", command: params.command });
    const child = spawn(params.command, params.args ?? [], { stdio: ["ignore", "pipe", "inherit"] });
    const own = { child, output: "" };
    child.stdout.on("data", (data) => (own.output += data));
    own.closed = new Promise((done) => child.on("close", (exitCode, signal) => done({ exitCode, signal })));
    const terminalId = `terminal-${terminals.size}`;
    terminals.set(terminalId, own);
    return { terminalId };
  })
  .onRequest(editorSide.terminal.waitForExit, ({ params }) => terminals.get(params.terminalId).closed)
  .onRequest(editorSide.terminal.output, async ({ params }) => {
    const own = terminals.get(params.terminalId);
    return { output: own.output, truncated: false, exitStatus: await own.closed };
  })
  .onRequest(editorSide.terminal.kill, async ({ params }) => {
    const own = terminals.get(params.terminalId);
    own.child.kill("SIGKILL");
    await own.closed;
    tell({ killed: params.terminalId });
    return {};
  })
  .onRequest(editorSide.terminal.release, ({ params }) => {
    tell({ released: params.terminalId });
    return {};
  });

const stream = acp.ndJsonStream(Writable.toWeb(gate.stdin), Readable.toWeb(gate.stdout));
await app.connectWith(stream, async (agent) => {
  const clientCapabilities = { fs: { readTextFile: true, writeTextFile: true }, terminal: true };
  await agent.request(agentSide.initialize, { protocolVersion: 1, clientCapabilities });
  const { sessionId } = await agent.request(agentSide.session.new, { cwd: folder, mcpServers: [] });
  const prompt = [{ type: "text", text: "make a plan" }];
  const ended = await agent.request(agentSide.session.prompt, { sessionId, prompt });
  await Promise.all([...terminals.values()].map((own) => own.closed));
  tell({ stopped: ended.stopReason, commands: terminals.size });
});
const over = new Promise((done) => gate.on("close", done));
gate.stdin.end();
await over;
