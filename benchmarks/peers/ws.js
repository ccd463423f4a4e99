// `ws`: one encoded text, written to every socket.
import { WebSocket, WebSocketServer } from "ws";
import { ticking } from "./ticking.js";

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]) });

ticking((frame) => {
	const text = JSON.stringify(frame);
	for (const socket of server.clients) {
		if (socket.readyState === WebSocket.OPEN) socket.send(text);
	}
});
