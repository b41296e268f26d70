import { appendFileSync } from 'node:fs'

// Loaded into a server before it starts: writes down each turn of its event loop that took long.

const EVERY_MS = 5
/** Shorter turns are nothing to speak of, in milliseconds. */
const LONG_MS = 20

/** Processor time of this thread alone: what else the machine does meanwhile is not the server's fault. */
function worked(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const file = process.env['BAR_TURNS'] ?? ''
let before = worked()
setInterval(() => {
  const now = worked()
  if (now - before >= LONG_MS) appendFileSync(file, `${Date.now()} ${(now - before).toFixed(1)}\n`)
  before = worked()
}, EVERY_MS).unref()
