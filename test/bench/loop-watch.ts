import { createServer } from 'node:net'

// Loaded into a server before it starts: remembers the longest turn of its event loop, and tells whoever connects to
// the socket `BENCH_LOOP`; then it begins anew.

const EVERY_MS = 1

/** Processor time of this thread alone: what else the machine does meanwhile is not the server's fault. */
function worked(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

let longest = { work: 0, wall: 0 }
let before = { work: worked(), wall: performance.now() }
setInterval(() => {
  const now = { work: worked(), wall: performance.now() }
  longest = {
    work: Math.max(longest.work, now.work - before.work),
    wall: Math.max(longest.wall, now.wall - before.wall - EVERY_MS),
  }
  before = now
}, EVERY_MS).unref()
createServer((socket) => {
  socket.on('error', () => {})
  socket.end(JSON.stringify(longest))
  longest = { work: 0, wall: 0 }
})
  .listen(process.env['BENCH_LOOP'])
  .unref()
