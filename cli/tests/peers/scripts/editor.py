"""An editor by the official Python SDK: `editor.py FOLDER COMMAND ARGS…`. It does whatever it is asked to."""

import asyncio
import json
import sys

import acp
from acp import schema
from acp.stdio import spawn_agent_process


def tell(**what):
    print(json.dumps(what), flush=True)


class Editor(acp.Client):
    terminals = {}

    async def session_update(self, session_id, update, **kwargs):
        if isinstance(update, schema.AgentMessageChunk):
            print(update.content.text, flush=True)

    async def request_permission(self, session_id, tool_call, options, **kwargs):
        tell(user="is asked")
        return schema.RequestPermissionResponse(outcome=schema.DeniedOutcome(outcome="cancelled"))

    async def read_text_file(self, session_id, path, line=None, limit=None, **kwargs):
        tell(did="read", path=path)
        with open(path) as file:
            return schema.ReadTextFileResponse(content=file.read())

    async def write_text_file(self, session_id, path, content, **kwargs):
        tell(did="write", path=path)
        with open(path, "w") as file:
            file.write(content)
        return schema.WriteTextFileResponse()

    async def create_terminal(self, session_id, command, args=None, env=None, cwd=None, output_byte_limit=None, **kwargs):
        tell(did="run", command=command)
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(command, *(args or []), stdout=pipe)
        name = f"terminal-{len(self.terminals)}"
        self.terminals[name] = child
        return schema.CreateTerminalResponse(terminal_id=name)

    async def wait_for_terminal_exit(self, session_id, terminal_id, **kwargs):
        return schema.WaitForTerminalExitResponse(exit_code=await self.terminals[terminal_id].wait())

    async def terminal_output(self, session_id, terminal_id, **kwargs):
        child = self.terminals[terminal_id]
        output = (await child.stdout.read()).decode()
        status = schema.TerminalExitStatus(exit_code=child.returncode)
        return schema.TerminalOutputResponse(output=output, truncated=False, exit_status=status)

    async def kill_terminal(self, session_id, terminal_id, **kwargs):
        child = self.terminals[terminal_id]
        if child.returncode is None:
            child.kill()
        await child.wait()
        tell(killed=terminal_id)
        return schema.KillTerminalResponse()

    async def release_terminal(self, session_id, terminal_id, **kwargs):
        tell(released=terminal_id)
        return schema.ReleaseTerminalResponse()


async def main():
    folder, command, *args = sys.argv[1:]
    editor = Editor()
    async with spawn_agent_process(editor, command, *args) as (agent, process):
        fs = schema.FileSystemCapabilities(read_text_file=True, write_text_file=True)
        can = schema.ClientCapabilities(fs=fs, terminal=True)
        await agent.initialize(protocol_version=1, client_capabilities=can)
        session = await agent.new_session(cwd=folder, mcp_servers=[])
        prompt = [schema.TextContentBlock(type="text", text="make a plan")]
        ended = await agent.prompt(session_id=session.session_id, prompt=prompt)
        # What was sent before it may still be handled.
        running = [child for child in editor.terminals.values() if child.returncode is None]
        await asyncio.wait_for(asyncio.gather(*(child.wait() for child in running)), 20)
        tell(stopped=ended.stop_reason, commands=len(editor.terminals))


asyncio.run(main())
