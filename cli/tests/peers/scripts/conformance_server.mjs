// A server with all that the official conformance suite asks a server for, on the SDK of line 1.
//
//   node conformance_server.mjs stdio
//   node conformance_server.mjs http PORT
//   node conformance_server.mjs door PORT URL SECRET
//
// `door` is no server: it hands requests on with a bearer token, since the suite shows none. The SDK is looked for from the
// working directory.
import { createRequire } from "node:module";
import http from "node:http";
import { randomUUID } from "node:crypto";

const require = createRequire(process.cwd() + "/");
const { Server } = require("@modelcontextprotocol/sdk/server/index.js");
const { StdioServerTransport } = require("@modelcontextprotocol/sdk/server/stdio.js");
const { StreamableHTTPServerTransport } = require("@modelcontextprotocol/sdk/server/streamableHttp.js");
const types = require("@modelcontextprotocol/sdk/types.js");

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";
const wait = () => new Promise((done) => setTimeout(done, 50));
const text = (text) => ({ type: "text", text });
const image = { type: "image", data: PNG, mimeType: "image/png" };
const embedded = (uri, mimeType, text) => ({ type: "resource", resource: { uri, mimeType, text } });

async function elicited(extra, message, properties, required = []) {
  const params = { message, requestedSchema: { type: "object", properties, required } };
  const { action, content } = await extra.sendRequest({ method: "elicitation/create", params }, types.ElicitResultSchema);
  return [text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`)];
}

const option = (value, title) => ({ const: value, title });
const titled = [option("value1", "First Option"), option("value2", "Second Option"), option("value3", "Third Option")];
const ENUMS = {
  untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
  titledSingle: { type: "string", oneOf: titled },
  legacyEnum: { type: "string", enum: ["opt1", "opt2", "opt3"], enumNames: ["Option One", "Option Two", "Option Three"] },
  untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
  titledMulti: { type: "array", items: { anyOf: titled } },
};
const DEFAULTS = {
  name: { type: "string", default: "John Doe" },
  age: { type: "integer", default: 30 },
  score: { type: "number", default: 95.5 },
  status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
  verified: { type: "boolean", default: true },
};

const TOOLS = {
  test_simple_text: async () => [text("This is a simple text response for testing.")],
  test_image_content: async () => [image],
  test_audio_content: async () => [{ type: "audio", data: WAV, mimeType: "audio/wav" }],
  test_embedded_resource: async () => [
    embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
  ],
  test_multiple_content_types: async () => [
    text("Multiple content types test:"),
    image,
    embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
  ],
  test_tool_with_logging: async (_, extra) => {
    for (const data of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
      await extra.sendNotification({ method: "notifications/message", params: { level: "info", data } });
      await wait();
    }
    return [text("logged")];
  },
  test_error_handling: async () => {
    throw new Error("This tool intentionally returns an error for testing");
  },
  test_tool_with_progress: async (_, extra) => {
    const progressToken = extra._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      const params = { progressToken, progress, total: 100 };
      if (progressToken !== undefined) await extra.sendNotification({ method: "notifications/progress", params });
      await wait();
    }
    return [text("done")];
  },
  test_sampling: async ({ prompt }, extra) => {
    const params = { messages: [{ role: "user", content: text(prompt) }], maxTokens: 100 };
    const asked = { method: "sampling/createMessage", params };
    const sample = await extra.sendRequest(asked, types.CreateMessageResultSchema);
    return [text(`LLM response: ${sample.content.text}`)];
  },
  test_elicitation: async ({ message }, extra) =>
    elicited(extra, message, { username: { type: "string" }, email: { type: "string" } }, ["username", "email"]),
  test_elicitation_sep1034_defaults: async (_, extra) => elicited(extra, "defaults", DEFAULTS),
  test_elicitation_sep1330_enums: async (_, extra) => elicited(extra, "enums", ENUMS),
  test_reconnection: async (_, extra) => {
    extra.closeSSEStream?.();
    await wait();
    return [text("Reconnection test completed successfully")];
  },
  json_schema_2020_12_tool: async () => [text("a schema")],
};
const SCHEMAS = {
  test_sampling: { type: "object", properties: { prompt: { type: "string" } }, required: ["prompt"] },
  test_elicitation: { type: "object", properties: { message: { type: "string" } }, required: ["message"] },
  json_schema_2020_12_tool: {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    $defs: {
      address: { type: "object", properties: { street: { type: "string" }, city: { type: "string" } } },
    },
    properties: { name: { type: "string" }, address: { $ref: "#/$defs/address" } },
    additionalProperties: false,
  },
};

const said = (...all) => ({ messages: all.map((content) => ({ role: "user", content })) });
const PROMPTS = {
  test_simple_prompt: [[], () => said(text("This is a simple prompt for testing."))],
  test_prompt_with_arguments: [
    ["arg1", "arg2"],
    ({ arg1, arg2 }) => said(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  ],
  test_prompt_with_embedded_resource: [
    ["resourceUri"],
    ({ resourceUri }) =>
      said(
        embedded(resourceUri, "text/plain", "Embedded resource content for testing."),
        text("Please process the embedded resource above."),
      ),
  ],
  test_prompt_with_image: [[], () => said(image, text("Please analyze the image above."))],
};

function read(uri) {
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (id) {
    const data = { id, templateTest: true, data: `Data for ID: ${id}` };
    return { uri, mimeType: "application/json", text: JSON.stringify(data) };
  }
  if (uri === "test://static-binary") return { uri, mimeType: "image/png", blob: PNG };
  return { uri, mimeType: "text/plain", text: "This is the content of the static text resource." };
}

function conformant() {
  const capabilities = { tools: {}, prompts: {}, completions: {}, logging: {}, resources: { subscribe: true } };
  const server = new Server({ name: "conformant", version: "1" }, { capabilities });
  const on = (schema, answer) => server.setRequestHandler(schema, answer);
  on(types.ListToolsRequestSchema, async () => ({
    tools: Object.keys(TOOLS).map((name) => {
      const inputSchema = SCHEMAS[name] ?? { type: "object", properties: {} };
      return { name, description: `the tool ${name}`, inputSchema };
    }),
  }));
  on(types.CallToolRequestSchema, async ({ params }, extra) => {
    try {
      return { content: await TOOLS[params.name](params.arguments ?? {}, extra) };
    } catch (error) {
      return { content: [text(error.message)], isError: true };
    }
  });
  const resources = ["test://static-text", "test://static-binary", "test://watched-resource"];
  on(types.ListResourcesRequestSchema, async () => ({
    resources: resources.map((uri) => ({ uri, name: uri, description: `the resource ${uri}` })),
  }));
  on(types.ListResourceTemplatesRequestSchema, async () => ({
    resourceTemplates: [{ uriTemplate: "test://template/{id}/data", name: "template", description: "data of an id" }],
  }));
  on(types.ReadResourceRequestSchema, async ({ params }) => ({ contents: [read(params.uri)] }));
  on(types.SubscribeRequestSchema, async () => ({}));
  on(types.UnsubscribeRequestSchema, async () => ({}));
  on(types.SetLevelRequestSchema, async () => ({}));
  on(types.CompleteRequestSchema, async () => ({ completion: { values: ["paris", "park"], total: 2, hasMore: false } }));
  on(types.ListPromptsRequestSchema, async () => ({
    prompts: Object.entries(PROMPTS).map(([name, [args]]) => {
      const described = args.map((name) => ({ name, description: name, required: true }));
      return { name, description: `the prompt ${name}`, arguments: described };
    }),
  }));
  on(types.GetPromptRequestSchema, async ({ params }) => PROMPTS[params.name][1](params.arguments ?? {}));
  return server;
}

// What is kept of each stream, so that it can be gone on with.
class Events {
  all = [];
  async storeEvent(stream, message) {
    return `${this.all.push({ stream, message }) - 1}`;
  }
  async replayEventsAfter(last, { send }) {
    const { stream } = this.all[last];
    for (let at = Number(last) + 1; at < this.all.length; at++) {
      const own = this.all[at];
      if (own.stream === stream && own.message.jsonrpc) await send(`${at}`, own.message);
    }
    return stream;
  }
}

const sessions = new Map();
const isOwn = (name) => /^(http:\/\/)?(localhost|127\.0\.0\.1)(:\d+)?$/.test(name);
async function serve(request, response) {
  const { host, origin } = request.headers;
  if (!isOwn(host) || (origin && !isOwn(origin))) return response.writeHead(403).end();
  let transport = sessions.get(request.headers["mcp-session-id"]);
  if (!transport) {
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (id) => sessions.set(id, transport),
      eventStore: new Events(),
      retryInterval: 200,
    });
    await conformant().connect(transport);
  }
  await transport.handleRequest(request, response);
}

function handOn(url, secret) {
  const { hostname, port, pathname } = new URL(url);
  return (request, response) => {
    const headers = { ...request.headers, authorization: `Bearer ${secret}` };
    const options = { hostname, port, path: pathname, method: request.method, headers };
    const asked = http.request(options, (answered) => {
      response.writeHead(answered.statusCode, answered.headers);
      answered.pipe(response);
    });
    asked.on("error", () => response.destroy());
    response.on("close", () => asked.destroy());
    request.pipe(asked);
  };
}

const [mode, port, url, secret] = process.argv.slice(2);
if (mode === "stdio") {
  await conformant().connect(new StdioServerTransport());
} else {
  const server = http.createServer(mode === "http" ? serve : handOn(url, secret));
  server.listen(Number(port), "127.0.0.1", () => console.error(`listening on port ${port}`));
}
