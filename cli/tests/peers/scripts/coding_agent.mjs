// The agent of coding_agent.py by the official TypeScript SDK.
import { Readable, Writable } from "node:stream";
import * as acp from "@agentclientprotocol/sdk";

let folder, can;
const { client: editorSide, agent: agentSide } = acp.methods;

async function prompt({ params: { sessionId }, client: editor }) {
  const tell = (what) =>
    editor.notify(editorSide.session.update, {
      sessionId,
      update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text: JSON.stringify(what) } },
    });
  const attempt = async (tried, method, params) => {
    try {
      const result = await editor.request(method, { sessionId, ...params });
      await tell({ tried, failed: false, text: JSON.stringify(result ?? null) });
      return result;
    } catch (error) {
      await tell({ tried, failed: true, text: error.message });
    }
  };
  const { fs, terminal } = editorSide;
  await tell({ can: [can.fs.readTextFile, can.fs.writeTextFile, can.terminal] });
  await attempt("read notes", fs.readTextFile, { path: `${folder}/notes.txt` });
  await attempt("read a secret", fs.readTextFile, { path: `${folder}/../secret.txt` });
  await attempt("read a key", fs.readTextFile, { path: `${folder}/keys/id` });
  await attempt("write a plan", fs.writeTextFile, { path: `${folder}/drafts/plan.txt`, content: "a plan" });
  await attempt("write notes", fs.writeTextFile, { path: `${folder}/notes.txt`, content: "overwritten" });
  for (const kind of ["read", "execute"]) {
    const options = ["allow_always", "allow_once", "reject_once"].map((own) => ({ optionId: own, name: own, kind: own }));
    const toolCall = { toolCallId: "c", kind, title: "Let me" };
    const asked = await editor.request(editorSide.session.requestPermission, { sessionId, toolCall, options });
    await tell({ asked: kind, told: asked.outcome.optionId });
  }
  const { terminalId } = await attempt("run cat", terminal.create, { command: "cat", args: [`${folder}/notes.txt`] });
  await attempt("wait for cat", terminal.waitForExit, { terminalId });
  const { output } = await attempt("read its output", terminal.output, { terminalId });
  await tell({ output });
  await attempt("release it", terminal.release, { terminalId });
  await attempt("run rm", terminal.create, { command: "rm", args: ["-r", folder] });
  await attempt("run sleep", terminal.create, { command: "sleep", args: ["600"] });
  return { stopReason: "end_turn" };
}

acp
  .agent({ name: "coding-agent" })
  .onRequest(agentSide.initialize, ({ params }) => {
    can = params.clientCapabilities;
    return { protocolVersion: 1, agentCapabilities: {} };
  })
  .onRequest(agentSide.session.new, ({ params }) => {
    folder = params.cwd;
    return { sessionId: "session-1" };
  })
  .onRequest(agentSide.session.prompt, prompt)
  .connect(acp.ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)));
