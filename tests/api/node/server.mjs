// The source document's routes on Redis at argv[2], with ioredis from argv[3] and a model that counts its messages.
// Express is played by the few lines at the end. Prints the port it listens on.
import { randomUUID as uuidv4 } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[3]}/`);
const { Redis } = require('ioredis');
const redis = new Redis(process.argv[2]);
const SESSION_TTL = 60 * 60 * 24; // 24 hours in seconds
const routes = {};
const router = {
  post: (path, handler) => { routes[`POST ${path}`] = handler; },
  delete: (path, handler) => { routes[`DELETE ${path}`] = handler; },
};

async function chat({ messages }) {
  return { content: `reply to ${messages.length}`, usage: { input_tokens: messages.length, output_tokens: 3 } };
}

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

router.post('/', async (req, res, next) => {
  try {
    const { sessionId = uuidv4(), message, provider = 'openai' } = req.body;
    const history = await getHistory(sessionId);
    history.push({ role: 'user', content: message });
    const result = await chat({ provider, messages: history });
    history.push({ role: 'assistant', content: result.content });
    await saveHistory(sessionId, history);
    res.json({ sessionId, reply: result.content, usage: result.usage });
  } catch (err) {
    next(err);
  }
});

router.delete('/:sessionId', async (req, res, next) => {
  try {
    await clearHistory(req.params.sessionId);
    res.json({ message: 'Session cleared' });
  } catch (err) {
    next(err);
  }
});

const server = createServer(async (req, answer) => {
  let text = '';
  for await (const piece of req) text += piece;
  const id = req.url.slice('/api/chat'.length + 1);
  const res = { json: (body) => answer.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body)) };
  const next = (err) => answer.writeHead(500).end(String(err));
  const handler = routes[`${req.method} ${id ? '/:sessionId' : '/'}`];
  await handler({ body: text ? JSON.parse(text) : {}, params: { sessionId: id } }, res, next);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit()).resume();
