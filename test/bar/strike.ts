import { setTimeout as sleep } from 'node:timers/promises'
import type { KillableServer } from './killable-server.ts'
import type { Outcome } from './registry-client.ts'
import { type Call, fileThreadOf, type Injection, matters, trace } from './strace.ts'

/** Work behind the answer is over by then. */
const SETTLE_MS = 250

/** A call during a change, and the thread that makes it. */
export interface Point {
  readonly thread: 'files' | 'main'
  readonly call: Call
}

/** Every call by which a change writes files or answers, in their order in each thread. */
export async function pointsOf(
  server: KillableServer,
  make: () => Promise<Outcome>,
): Promise<readonly Point[]> {
  const files = await trace(threadOf(server, 'files'))
  const main = await trace(threadOf(server, 'main'))
  const outcome = await make()
  await sleep(SETTLE_MS)
  const calls = { files: await files.stop(), main: await main.stop() }
  if (outcome !== 200) throw new Error(`the change that is to be watched was answered with ${outcome}`)
  return (['files', 'main'] as const).flatMap((thread) =>
    calls[thread].filter((call) => matters(call, server.folder)).map((call) => ({ thread, call })),
  )
}

export interface Struck {
  readonly outcome: Outcome
  /** Whether the server was running afterwards. */
  readonly survived: boolean
}

/** Makes a change during which something happens to one call. */
export async function strike(
  server: KillableServer,
  { thread, call }: Point,
  injection: Injection,
  make: () => Promise<Outcome>,
): Promise<Struck> {
  const tracing = await trace(threadOf(server, thread), { call, injection })
  const outcome = await make()
  if (server.isRunning()) await Promise.race([server.ended(), sleep(SETTLE_MS)])
  const survived = server.isRunning()
  await tracing.stop()
  return { outcome, survived }
}

function threadOf(server: KillableServer, thread: Point['thread']): number {
  return thread === 'main' ? server.pid() : fileThreadOf(server.pid())
}
