// socket.io: an event for everybody.
import { Server } from "socket.io";
import { ticking } from "./ticking.js";

const server = new Server({ transports: ["websocket"] });
server.listen(Number(process.argv[2]));

ticking((frame) => server.emit("values", frame));
