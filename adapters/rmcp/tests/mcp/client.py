"""Calls the tools of the server of `docs/rmcp.md`, on the official SDK of either line.

    python client.py SERVER POLICY

Prints a line of JSON: the tools that are shown, and then for each call its text and whether it is an error.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack

import mcp
from mcp import StdioServerParameters

CALLS = [
    ("read", "/srv/notes/./today.txt"),
    ("read", "/srv/keys.txt"),
    ("read", "/srv/notes/../keys.txt"),
    ("erase", "/srv/notes/today.txt"),
]


async def session_of(params, stack):
    if hasattr(mcp, "Client"):
        return await stack.enter_async_context(mcp.Client(params))
    from mcp.client.stdio import stdio_client

    read, write = await stack.enter_async_context(stdio_client(params))
    session = await stack.enter_async_context(mcp.ClientSession(read, write))
    await session.initialize()
    return session


async def main(server, policy):
    async with AsyncExitStack() as stack:
        client = await session_of(StdioServerParameters(command=server, args=[policy]), stack)
        print(json.dumps([tool.name for tool in (await client.list_tools()).tools]), flush=True)
        for tool, path in CALLS:
            result = await client.call_tool(tool, {"path": path})
            is_error = result.is_error if hasattr(result, "is_error") else result.isError
            print(json.dumps([result.content[0].text, is_error]), flush=True)


asyncio.run(main(*sys.argv[1:]))
