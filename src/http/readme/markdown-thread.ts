import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { MarkdownAnswer, MarkdownJob } from './markdown-worker.ts'

/** Also works where types are still to be stripped. */
const WORKER = new URL(`./markdown-worker${extname(import.meta.filename)}`, import.meta.url)
/** Loading takes a tenth of a second, on a machine that is not overloaded. */
const START_MS = 20_000
/** An idle thread costs memory, a new one some time. */
const IDLE_MS = 60_000
/** Jobs that wait; what is more is not worth waiting for. */
const MAX_WAITING = 16
const RESOURCES = { maxOldGenerationSizeMb: 128 }

/** Renders Markdown beside the event loop: whatever is in a text, nobody else waits for it. */
export interface MarkdownThread {
  /** @throws {Error} when it takes too long, or more memory than it may, or too many wait already */
  run(job: MarkdownJob): Promise<string>
  /** Ends the thread, which a later job would start again. */
  stop(): Promise<void>
}

/** The thread is started by its first job; a job may take `limitMs`. */
export function createMarkdownThread(limitMs: number): MarkdownThread {
  let worker: Worker | undefined
  let idle: NodeJS.Timeout | undefined
  let waiting = 0
  let turn: Promise<unknown> = Promise.resolve()

  async function stop(): Promise<void> {
    const stopped = worker
    worker = undefined
    clearTimeout(idle)
    await stopped?.terminate()
  }

  async function start(): Promise<Worker> {
    const started = new Worker(WORKER, { resourceLimits: RESOURCES })
    // It keeps no process from its end; and what breaks it between two jobs breaks nothing else.
    started.unref()
    started.on('error', () => {})
    started.once('exit', () => {
      if (worker === started) worker = undefined
    })
    worker = started
    await nextAnswer(started, START_MS)
    return started
  }

  async function work(job: MarkdownJob): Promise<string> {
    clearTimeout(idle)
    try {
      const thread = worker ?? (await start())
      thread.postMessage(job)
      const { markup, problem } = await nextAnswer(thread, limitMs)
      if (markup === undefined) throw new Error(problem)
      return markup
    } catch (error) {
      await stop()
      throw error
    } finally {
      idle = setTimeout(() => void stop(), IDLE_MS).unref()
    }
  }

  return {
    stop,
    async run(job) {
      if (waiting >= MAX_WAITING) throw new Error('too many texts wait to be rendered')
      waiting++
      const done = turn.then(() => work(job)).finally(() => waiting--)
      turn = done.catch(() => {})
      return done
    },
  }
}

/** @throws {Error} when the thread broke, or did not answer in time */
async function nextAnswer(thread: Worker, limitMs: number): Promise<MarkdownAnswer> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new Error(`no answer within ${limitMs} ms`)), limitMs)
  try {
    const [answer] = await once(thread, 'message', { signal: late.signal })
    return answer
  } catch (error) {
    throw late.signal.aborted ? late.signal.reason : error
  } finally {
    clearTimeout(timer)
  }
}
