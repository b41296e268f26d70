import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds that a server has to come up, and then to go down before it is killed. */
const PATIENCE_MS = 10_000

/** A server of the benchmark, in a process of its own. */
export interface Server {
  /** Without a final slash. */
  readonly url: string
  readonly pid: number
  stop(): Promise<void>
}

/** How a server is started. */
export interface ProcessSpec {
  readonly url: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The file for what it writes; default: that goes nowhere. */
  readonly log?: string
}

/** Starts `command` and waits until `url` answers anything at all. */
export async function startProcess(
  command: string,
  args: readonly string[],
  { url, env = {}, cwd, log }: ProcessSpec,
): Promise<Server> {
  const output = log === undefined ? 'ignore' : openSync(log, 'a')
  const child = spawn(command, args, {
    stdio: ['ignore', output, output],
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
  })
  if (typeof output === 'number') closeSync(output)
  const failed = once(child, 'exit').then(([code]) => {
    throw new Error(`${command} ended with ${code}`)
  })
  failed.catch(() => {})
  try {
    await Promise.race([answers(url), failed])
  } catch (error) {
    await stop(child)
    throw error
  }
  return { url, pid: child.pid ?? 0, stop: () => stop(child) }
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

async function answers(url: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS
  while (Date.now() < end) {
    const response = await fetch(url, { redirect: 'manual' }).catch((error: Error) =>
      // Who shows a certificate has come up, whether it is trusted or not.
      Object(error.cause).code === 'DEPTH_ZERO_SELF_SIGNED_CERT' ? new Response() : undefined,
    )
    await response?.body?.cancel()
    if (response !== undefined) return
    await sleep(50)
  }
  throw new Error(`${url} does not answer`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  await ended
  clearTimeout(timer)
}
