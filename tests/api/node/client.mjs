// A client of the source document's routes, as a browser or a service would write it, on the server at argv[2].
// argv[3] is a session to go on with, or empty. Prints one line of JSON for each answer.
const base = `${process.argv[2]}/api/chat`;
let sessionId = process.argv[3] || undefined;

async function send(message) {
  const response = await fetch(base, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ sessionId, message, provider: 'openai' }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  const answer = await response.json();
  ({ sessionId } = answer);
  return answer;
}

async function clear() {
  const response = await fetch(`${base}/${sessionId}`, { method: 'DELETE' });
  return response.json();
}

const print = (value) => console.log(JSON.stringify(value));
print(await send('Hello'));
print(await send('And 4+4?'));
if (process.argv[4] === 'clear') print(await clear());
