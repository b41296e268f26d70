import type { Logger, ObjectStore } from '../../host.ts'
import type { DownloadCounts } from '../download-counts.ts'
import { collectGarbage } from './gc.ts'
import type { Retention } from './retention.ts'

/** Written by whoever tidies, so that others do not. */
const LAST_RUN = 'care/last-run.json'
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

  async function tidy(): Promise<boolean> {
    try {
      const last = await storage.stat(LAST_RUN)
      if (last !== undefined && now().getTime() - last.modified.getTime() < retention.every) return false
      await storage.put(LAST_RUN, Buffer.from(JSON.stringify({ at: now().toISOString() })))
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
