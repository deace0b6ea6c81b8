// The source document's own functions, unchanged, and a loop that runs them. Each line of input is a request as JSON; each
// line of output holds the positions of the messages that trimHistory kept.
import { createInterface } from 'node:readline';

function estimateTokens(text) {
  return Math.ceil(text.length / 4); // rough approximation: 1 token ≈ 4 chars
}
function trimHistory(messages, maxTokens = 80000) {
  let totalTokens = messages.reduce((sum, m) => {
    const content = typeof m.content === 'string' ? m.content : JSON.stringify(m.content);
    return sum + estimateTokens(content);
  }, 0);
  // Remove second-oldest message (keep system message + recent turns)
  while (totalTokens > maxTokens && messages.length > 4) {
    const removed = messages.splice(1, 1)[0];
    const content = typeof removed.content === 'string' ? removed.content : JSON.stringify(removed.content);
    totalTokens -= estimateTokens(content);
  }
  return messages;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { messages, maxTokens } = JSON.parse(line);
  const positions = new Map(messages.map((message, position) => [message, position]));
  console.log(JSON.stringify(trimHistory(messages, maxTokens).map((message) => positions.get(message))));
}
