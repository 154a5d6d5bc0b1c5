"""A coding agent by the official Python SDK, which does what it was told to and more: FOLDER is its session's."""

import asyncio
import json

import acp
from acp import helpers, schema


class CodingAgent(acp.Agent):
    def on_connect(self, conn):
        self.editor = conn

    async def initialize(self, protocol_version, client_capabilities=None, client_info=None, **kwargs):
        self.can = client_capabilities
        return schema.InitializeResponse(protocol_version=1, agent_capabilities=schema.AgentCapabilities())

    async def new_session(self, cwd, additional_directories=None, mcp_servers=None, **kwargs):
        self.folder = cwd
        return schema.NewSessionResponse(session_id="session-1")

    async def cancel(self, session_id, **kwargs):
        pass

    async def prompt(self, session_id, prompt, **kwargs):
        async def tell(**what):
            block = helpers.update_agent_message_text(json.dumps(what))
            await self.editor.session_update(session_id, block)

        async def attempt(name, wanted):
            try:
                result = await wanted
                await tell(tried=name, failed=False, text=str(result))
                return result
            except acp.RequestError as error:
                await tell(tried=name, failed=True, text=str(error))

        def read(path):
            return self.editor.read_text_file(session_id=session_id, path=f"{self.folder}/{path}")

        def write(path, content):
            path = f"{self.folder}/{path}"
            return self.editor.write_text_file(session_id=session_id, path=path, content=content)

        def run(command, *args):
            return self.editor.create_terminal(session_id=session_id, command=command, args=list(args))

        await tell(can=[self.can.fs.read_text_file, self.can.fs.write_text_file, self.can.terminal])
        await attempt("read notes", read("notes.txt"))
        await attempt("read a secret", read("../secret.txt"))
        await attempt("read a key", read("keys/id"))
        await attempt("write a plan", write("drafts/plan.txt", "a plan"))
        await attempt("write notes", write("notes.txt", "overwritten"))
        for kind in ("read", "execute"):
            call = schema.ToolCallUpdate(tool_call_id="c", kind=kind, title="Let me")
            options = [
                schema.PermissionOption(option_id=own, name=own, kind=own)
                for own in ("allow_always", "allow_once", "reject_once")
            ]
            asked = await self.editor.request_permission(session_id=session_id, tool_call=call, options=options)
            await tell(asked=kind, told=asked.outcome.option_id)
        terminal = await attempt("run cat", run("cat", f"{self.folder}/notes.txt"))
        named = {"session_id": session_id, "terminal_id": terminal.terminal_id}
        await attempt("wait for cat", self.editor.wait_for_terminal_exit(**named))
        output = await attempt("read its output", self.editor.terminal_output(**named))
        await tell(output=output.output)
        await attempt("release it", self.editor.release_terminal(**named))
        await attempt("run rm", run("rm", "-r", self.folder))
        await attempt("run sleep", run("sleep", "600"))
        return schema.PromptResponse(stop_reason="end_turn")


asyncio.run(acp.run_agent(CodingAgent()))
