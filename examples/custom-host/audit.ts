import { appendFile } from 'node:fs/promises'
import type { CargoEvent, Logger } from 'verdaccio-cargo'

/** A file with a line for each event. */
export interface Audit {
  /** Is called while a request waits: returns at once, and never throws. */
  emit(event: CargoEvent): void
  /** Waits until everything is written. */
  close(): Promise<void>
}

export function auditFile(path: string, logger: Logger): Audit {
  let queue: Promise<void> = Promise.resolve()
  return {
    emit(event) {
      queue = queue
        .then(() => appendFile(path, `${JSON.stringify(event)}\n`))
        .catch((err: unknown) => logger.error({ err, event }, 'audit: an event is not written'))
    },
    close: () => queue,
  }
}
