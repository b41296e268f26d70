import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { request } from 'undici'
import { processorTime } from './cpu.ts'
import type { Server } from './process.ts'

export const CONNECTIONS = 32
/** Longer than any load. */
const LONG = '1h'
/** Longer than any answer; it has a counter for each microsecond of it. */
const TIMEOUT = '30s'
const DOUBLINGS = 5

type Headers = Readonly<Record<string, string>>

/** GETs that are repeated in turns. */
export interface Target {
  readonly server: Server
  readonly requests: readonly { readonly path: string; readonly headers?: Headers }[]
  readonly status: number
}

/** What a server did under load. */
export interface Sample {
  /** Requests in a second. */
  readonly rate: number
  /** Bytes in a second, heads included. */
  readonly bytes: number
  /** Microseconds of processor time of the server, for one request. */
  readonly cpu: number
  /** Seconds of processor time of the server, for 10^9 bytes. */
  readonly cpuOfGB: number
}

/** Runs wrk over keep-alive connections for `ms`; throws when an answer is not what it should be. */
export async function load(target: Target, ms: number): Promise<Sample> {
  const folder = await mkdtemp(join(tmpdir(), 'cargo-wrk-'))
  try {
    const script = join(folder, 'requests.lua')
    await writeFile(script, renderScript(target))
    // Where nothing is answered in that time, it was too short.
    for (let time = ms; time < ms * 2 ** DOUBLINGS; time *= 2) {
      const sample = await runWrk(target, script, time)
      if (sample !== undefined) return sample
    }
    throw new Error(`${target.server.url} answers nothing`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Asks for everything once, and throws when an answer has another status. */
export async function check({ server, requests, status }: Target): Promise<void> {
  for (const { path, headers = {} } of requests) {
    // `fetch()` would add headers of its own, which make some servers answer otherwise.
    const response = await request(server.url + path, { headers })
    await response.body.dump()
    if (response.statusCode !== status)
      throw new Error(`${server.url}${path}: ${response.statusCode}, not ${status}`)
  }
}

async function runWrk({ server, status }: Target, script: string, ms: number): Promise<Sample | undefined> {
  const began = processorTime(server.pid)
  const args = [
    '-t',
    '1',
    '-c',
    String(CONNECTIONS),
    '-d',
    LONG,
    '--timeout',
    TIMEOUT,
    '-s',
    script,
    server.url,
  ]
  const wrk = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = text(wrk.stdout)
  const ended = once(wrk, 'exit')
  await Promise.race([once(wrk.stderr, 'data'), ended])
  // It knows whole seconds only, but ends in order when it is interrupted.
  const timer = setTimeout(() => wrk.kill('SIGINT'), ms)
  await ended
  clearTimeout(timer)
  const work = processorTime(server.pid) - began
  const said = await output
  const found = /^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(said)?.slice(1).map(Number)
  const [requests = 0, micros = 0, bytes = 0, broken = 0, refused = 0] = found ?? []
  const isWrong = found === undefined || broken > 0 || (status < 400 ? refused > 0 : refused !== requests)
  if (isWrong) throw new Error(`${server.url}:\n${said}`)
  if (requests === 0) return undefined
  const seconds = micros / 1e6
  return {
    rate: requests / seconds,
    bytes: bytes / seconds,
    cpu: work / requests,
    cpuOfGB: (1e3 * work) / bytes,
  }
}

/** Requests are made before the load begins, which it says on stderr; `done` says the results as whole numbers. */
function renderScript({ server, requests }: Target): string {
  const { pathname, host } = new URL(server.url)
  const mount = pathname.replace(/\/$/, '')
  const made = requests.map(({ path, headers = {} }) => {
    const fields = Object.entries({ Host: host, ...headers }).map(([name, value]) => `${name}: ${value}`)
    return luaString(`${[`GET ${mount}${path} HTTP/1.1`, ...fields].join('\r\n')}\r\n\r\n`)
  })
  return `local requests = {
${made.join(',\n')}
}
local at = 0
request = function()
  if at == 0 then io.stderr:write("begins\\n") end
  at = at + 1
  return requests[(at - 1) % #requests + 1]
end
done = function(summary)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration, summary.bytes,
    e.connect + e.read + e.write + e.timeout, e.status))
end
`
}

function luaString(value: string): string {
  return `"${value.replace(/[\\"\r\n]/g, (char) => `\\${char.charCodeAt(0).toString().padStart(3, '0')}`)}"`
}
