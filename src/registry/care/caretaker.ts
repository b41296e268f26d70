import type { ListedObject, Logger, ObjectStore } from '../../host.ts'
import type { DownloadCounts } from '../download-counts.ts'
import { CARE_PREFIX, careKey, numberOf } from '../keys.ts'
import { collectGarbage } from './gc.ts'
import type { Retention } from './retention.ts'

const GRACE_MS = 24 * 60 * 60_000
/** The first look, which is soon after a start of what may be many processes at once. */
const FIRST_LOOK_MS = 60_000
/** Looks for whether it is time. */
const LOOK_MS = 10 * 60_000

export interface CaretakerDeps {
  readonly storage: ObjectStore
  readonly downloads: Pick<DownloadCounts, 'of'>
  readonly retention: Retention & { readonly every: number }
  readonly logger: Logger
  readonly now: () => Date
}

/** Tidies the store now and then, as long as it is not closed. */
export interface Caretaker {
  /** Tidies if it is time and nobody else did; whether it did. Never fails: what could not be done is logged. */
  look(): Promise<boolean>
  /** Waits for what runs. */
  close(): Promise<void>
}

/** Does nothing by itself when everything is to be kept. */
export function createCaretaker(deps: CaretakerDeps): Caretaker {
  const { storage, retention, logger, now } = deps
  const isWanted = retention.max_age !== undefined || retention.max_size !== undefined
  let timer = isWanted ? setTimeout(look, FIRST_LOOK_MS).unref() : undefined
  let running: Promise<boolean> = Promise.resolve(false)
  const stop = new AbortController()

  /** Whether it is time, and of all who look at once it is this one that tidies: who creates the next object. */
  async function takeTurn(): Promise<boolean> {
    const earlier: ListedObject[] = []
    for await (const run of storage.list(CARE_PREFIX)) earlier.push(run)
    const last = earlier.at(-1)
    if (last !== undefined && now().getTime() - last.modified.getTime() < retention.every) return false
    const key = careKey((numberOf(last?.key ?? '') ?? 0) + 1)
    const note = Buffer.from(JSON.stringify({ at: now().toISOString() }))
    if (!(await storage.put(key, note, { ifAbsent: true }))) return false
    for (const run of earlier) await storage.delete(run.key)
    return true
  }

  async function tidy(): Promise<boolean> {
    try {
      if (!(await takeTurn())) return false
      const report = await collectGarbage({ ...deps, grace: GRACE_MS, dryRun: false, signal: stop.signal })
      logger.info({ ...report }, 'storage was tidied')
      return true
    } catch (err) {
      if (stop.signal.aborted) return false
      logger.error({ err }, 'storage could not be tidied')
      return false
    }
  }

  function look(): Promise<boolean> {
    if (timer !== undefined) {
      clearTimeout(timer)
      timer = setTimeout(look, LOOK_MS).unref()
    }
    running = running.then(tidy)
    return running
  }

  return {
    look,
    async close() {
      clearTimeout(timer)
      timer = undefined
      stop.abort()
      await running
    },
  }
}
