import type { Writable } from 'node:stream'
import type { Logger } from 'verdaccio-cargo'

/** JSON lines, errors with their trace. What is logged holds no credential; keep it so in what you add. */
export function jsonLogger(out: Writable): Logger {
  const write = (level: string) => (object: object, message: string) => {
    const line = { time: new Date().toISOString(), level, message, ...object }
    out.write(`${JSON.stringify(line, withErrors)}\n`)
  }
  return { debug: () => {}, info: write('info'), warn: write('warn'), error: write('error') }
}

/** `JSON.stringify` finds nothing in an error. */
function withErrors(_: string, value: unknown): unknown {
  return value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value
}
