import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'

/** A real Redis of a test's own. */
export interface RedisServer {
  readonly url: string
  start(): Promise<void>
  kill(signal: NodeJS.Signals): void
  /** Sends a command without spaces in its words; the raw answer. */
  command(...words: string[]): Promise<string>
  /** Kills it and waits for that. */
  stop(): Promise<void>
  close(): Promise<void>
}

/** Starts a Redis on a free port, in a folder that `close()` removes; `more`: further arguments. */
export async function redisServer(more: readonly string[] = []): Promise<RedisServer> {
  if (spawnSync('redis-server', ['--version']).error !== undefined) {
    throw new Error('redis-server is missing: apt-get install redis-server')
  }
  const folder = await mkdtemp(join(tmpdir(), 'redis-'))
  const port = await freePort()
  let child: ChildProcess | undefined
  const server: RedisServer = {
    url: `redis://127.0.0.1:${port}`,
    async start() {
      if (isRunning(child) && !child.killed) throw new Error('redis-server is running already')
      await server.stop()
      const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder, ...more]
      child = spawn('redis-server', args, { stdio: 'ignore' })
      for (let tries = 0; !(await answers(port)); tries++) {
        if (tries === 100) throw new Error('redis-server does not answer')
        await sleep(50)
      }
    },
    kill(signal) {
      child?.kill(signal)
    },
    command: (...words) => send(port, `${words.join(' ')}\r\n`),
    async stop() {
      if (isRunning(child)) {
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      }
    },
    async close() {
      await server.stop()
      await rm(folder, { recursive: true })
    },
  }
  await server.start()
  return server
}

function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child !== undefined && child.exitCode === null && child.signalCode === null
}

async function answers(port: number): Promise<boolean> {
  return send(port, 'PING\r\n').then(
    (answer) => answer.startsWith('+PONG'),
    () => false,
  )
}

async function send(port: number, line: string): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    socket.write(line)
    const [answer] = await once(socket, 'data')
    return String(answer)
  } finally {
    socket.destroy()
  }
}
