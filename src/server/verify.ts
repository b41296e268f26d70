import type { Writable } from 'node:stream'
import { CargoError } from '../errors.ts'
import type { Finding } from '../registry/verify/check.ts'
import { type VerifyReport, verifyStorage } from '../registry/verify/verify.ts'
import { type ConfigSources, loadConfig } from './config-sources.ts'
import { Mistake } from './mistake.ts'
import { createCounter, type ProgressStream } from './progress.ts'
import { reasonOf } from './reason.ts'
import { mustBeRegistry, openStorage } from './storage.ts'

/** What the command works with. */
export interface VerifyParts {
  /** For the findings and the report. */
  readonly out: Writable
  /** For the progress. */
  readonly err: ProgressStream
  /** Whether derived data is written again, and damaged blobs are moved out of the way. */
  readonly repair: boolean
  /** The storage was restored just now. */
  readonly isRestored?: boolean
  /** Aborted: what runs is finished, and nothing new begins. */
  readonly signal: AbortSignal
}

/**
 * The `verify` command: looks at everything in the configured storage and tells each finding on `out`; whether all is
 * well, or was made so. Servers on the same storage go on serving.
 * @throws {ConfigError | Mistake} for what the operator has to put right
 */
export async function verify(
  sources: ConfigSources,
  { out, err, repair, isRestored = false, signal }: VerifyParts,
): Promise<boolean> {
  const config = await loadConfig(sources)
  const storage = await openStorage(config.storage, sources)
  await mustBeRegistry(storage)
  const progress = createCounter(err, 'objects', () => performance.now())
  const report = (finding: Finding) => {
    progress.clear()
    out.write(`${renderFinding(finding)}\n`)
  }
  try {
    const parts = {
      storage: storage.store,
      repair,
      isRestored,
      signal,
      report,
      step: progress.step,
      now: () => new Date(),
    }
    const result = await verifyStorage(parts)
    progress.clear()
    out.write(renderReport(result))
    return result.findings === result.repaired && result.unreferenced !== undefined
  } catch (error) {
    progress.clear()
    if (error instanceof CargoError)
      throw new Mistake(`${storage.name}: ${reasonOf(error)}`, { cause: error })
    throw error
  } finally {
    await storage.close()
  }
}

function renderFinding({ crates, key, problem, remedy, repaired }: Finding): string {
  const more = crates.length > 3 ? ` and ${crates.length - 3} more` : ''
  const of = crates.length === 0 ? '' : ` of ${crates.slice(0, 3).join(', ')}${more}`
  return `${repaired ? 'repaired' : 'damaged'} ${key}${of}: ${problem}: ${remedy}`
}

function renderReport({ counts, findings, repaired, unreferenced }: VerifyReport): string {
  const { blobs, crates, changes, checkpoints, copies, catalogues, downloads, trail, entered, unsealed } =
    counts
  const lines = [
    `${blobs} blobs, ${crates} crates with ${changes} changes and ${checkpoints} checkpoints, ${copies} index copies, ${catalogues} parts of the catalogues, ${downloads} of the download counts, ${trail} of the download audit`,
    ...(entered > 0 ? [`catalogue rebuilt with ${entered} crates: a backup has none`] : []),
    ...(unsealed > 0
      ? [
          `${unsealed} changes and copies are from before there were seals: not all damage of theirs can be found`,
        ]
      : []),
    ...(unreferenced === undefined
      ? ['stopped: not everything was looked at']
      : [
          `blobs that nobody references: ${unreferenced.old} older than a day, ${unreferenced.young} younger; gc removes the old ones`,
        ]),
    `${findings} ${findings === 1 ? 'finding' : 'findings'}, ${repaired} of them repaired`,
  ]
  return lines.map((line) => `${line}\n`).join('')
}
