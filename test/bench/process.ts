import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds that a server has to come up, and then to go down before it is killed. */
const PATIENCE_MS = 10_000

/** A server of the benchmark, in a process of its own. */
export interface Server {
  /** Without a final slash. */
  readonly url: string
  stop(): Promise<void>
}

/** Starts `command` and waits until `url` answers anything at all; its logs go nowhere. */
export async function startProcess(
  command: string,
  args: readonly string[],
  { url, env = {} }: { readonly url: string; readonly env?: Readonly<Record<string, string>> },
): Promise<Server> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...process.env, ...env },
  })
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
  return { url, stop: () => stop(child) }
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
    const response = await fetch(url).catch((error: Error) =>
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
