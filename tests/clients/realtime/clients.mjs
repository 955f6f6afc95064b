// Clients that do as they are told: a command is a line of JSON on stdin, what came of it one on
// stdout. Whatever they hear is kept until it is asked for.
import readline from "node:readline";
import { io } from "socket.io-client";

const clients = new Map();

const COMMANDS = {
  // Come in; what `connected` says, or why one is not let in.
  connect({ name, url, token }) {
    const socket = io(`${url}/realtime`, {
      auth: token === null ? {} : { token },
      transports: ["websocket"],
      reconnectionDelay: 50,
      reconnectionDelayMax: 200,
      forceNew: true,
    });
    const client = { socket, heard: [], follows: new Map(), waiting: [], ended: null };
    clients.set(name, client);
    socket.onAny((event, data) => {
      client.heard.push([event, data]);
      if (client.follows.has(data?.orderId)) {
        client.follows.set(data.orderId, Math.max(client.follows.get(data.orderId), data.sequence));
      }
      client.waiting = client.waiting.filter((looks) => !looks());
    });
    socket.on("disconnect", (reason) => {
      client.ended = reason;
      client.waiting = client.waiting.filter((looks) => !looks());
    });
    // Whoever comes back says how far he has heard of what he follows.
    socket.on("connect", () => {
      for (const [orderId, sequence] of client.follows) subscribe(client, { orderId, sequence });
    });
    return new Promise((resolve) => {
      socket.once("connected", resolve);
      socket.once("connect_error", (error) => resolve({ refused: error.data }));
    });
  },
  // Hear of an order, and of what has happened to it since a number.
  subscribe({ name, body }) {
    return subscribe(clients.get(name), body);
  },
  ask({ name, command, body }) {
    return clients.get(name).socket.emitWithAck(command, body);
  },
  // Wait until an event was heard that has all of `match`.
  until({ name, event, match }) {
    const client = clients.get(name);
    const fits = ([heard, data]) =>
      heard === event && Object.entries(match).every(([key, value]) => data[key] === value);
    return found(client, () => client.heard.find(fits));
  },
  // Wait until one is hung up on.
  ended({ name }) {
    const client = clients.get(name);
    return found(client, () => client.ended);
  },
  heard({ name }) {
    return clients.get(name).heard;
  },
  leave({ name }) {
    clients.get(name).socket.close();
    return null;
  },
};

async function subscribe(client, body) {
  const answer = await client.socket.emitWithAck("subscribe:order", body);
  if (answer.ok) {
    const seen = client.follows.get(body.orderId) ?? 0;
    client.follows.set(body.orderId, Math.max(seen, answer.sequence));
  }
  return answer;
}

function found(client, look) {
  const there = look();
  if (there) return there;
  return new Promise((resolve) => {
    client.waiting.push(() => {
      const now = look();
      if (now) resolve(now);
      return Boolean(now);
    });
  });
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const { id, do: what, ...how } = JSON.parse(line);
  Promise.resolve(COMMANDS[what](how)).then((answer) => {
    console.log(JSON.stringify({ id, answer: answer ?? null }));
  });
}
process.exit(0);
