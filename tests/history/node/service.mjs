// The source document's session service and chat route, on the store at argv[2], driven line by line from stdin.
// Each line is JSON: {op: "get" | "save" | "chat" | "clear", id, ...}; each answer is one line of JSON.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[3]}/`);
const { Redis } = require('ioredis');
const redis = new Redis(process.argv[2]);

const SESSION_TTL = 60 * 60 * 24; // 24 hours in seconds

async function getHistory(sessionId) {
  const data = await redis.get(`chat:${sessionId}`);
  return data ? JSON.parse(data) : [];
}

async function saveHistory(sessionId, messages) {
  await redis.setex(`chat:${sessionId}`, SESSION_TTL, JSON.stringify(messages));
}

async function clearHistory(sessionId) {
  await redis.del(`chat:${sessionId}`);
}

async function chat(sessionId, message, reply) {
  const history = await getHistory(sessionId);
  history.push({ role: 'user', content: message });
  history.push({ role: 'assistant', content: reply });
  await saveHistory(sessionId, history);
}

const operations = {
  get: ({ id }) => getHistory(id),
  save: ({ id, messages }) => saveHistory(id, messages),
  chat: ({ id, message, reply }) => chat(id, message, reply),
  clear: ({ id }) => clearHistory(id),
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const answer = await operations[request.op](request);
  // Escaped, so that half a surrogate pair survives the pipe, which is UTF-8.
  const text = JSON.stringify(answer ?? null).replace(/[\ud800-\udfff]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
  process.stdout.write(`${text}\n`);
}
redis.disconnect();
