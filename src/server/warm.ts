import { readFile, stat } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { CargoError } from '../errors.ts'
import type { Logger } from '../host.ts'
import { type LockedPackage, MAX_LOCK_FILE_BYTES, parseLockFile } from '../protocol/lock-file.ts'
import { sortPackages } from '../protocol/lock-sources.ts'
import { quote } from '../protocol/text.ts'
import { isThisRegistry } from '../registry/crate-inspection.ts'
import { type WarmReport, warmPackages } from '../registry/warm.ts'
import type { ConfigSources } from './config-sources.ts'
import { Mistake } from './mistake.ts'
import { createProgress, type ProgressStream, renderSize } from './progress.ts'
import { openWorkbench } from './workbench.ts'

/** What the command works with. */
export interface WarmParts {
  /** For the report. */
  readonly out: Writable
  /** For the progress. */
  readonly err: ProgressStream
  readonly logger: Logger
  /** Aborted: what runs is finished, and nothing new begins. */
  readonly signal: AbortSignal
}

/**
 * The `warm` command: brings what a `Cargo.lock` names into the configured storage, and tells on `out` what is missing.
 * @throws {ConfigError | OptionsError | Mistake} for what the operator has to put right
 */
export async function warmLockFile(
  sources: ConfigSources,
  file: string,
  { out, err, logger, signal }: WarmParts,
): Promise<WarmReport> {
  const packages = await readLockFile(file)
  let clear = () => {}
  const { bench, options, via } = await openWorkbench(
    sources,
    errorsOnly(logger, () => clear()),
  )
  const { ours, others } = sortPackages(packages, isThisRegistry(options, via))
  const progress = createProgress(err, ours.length, () => performance.now())
  clear = progress.clear
  try {
    const report = await warmPackages(bench, ours, { signal, onSettled: progress.step })
    progress.clear()
    out.write(renderReport(report, others))
    return report
  } catch (error) {
    progress.clear()
    if (error instanceof CargoError && error.code === 'storage_full')
      throw new Mistake(error.message, { cause: error })
    throw error
  } finally {
    await bench.close()
  }
}

async function readLockFile(file: string): Promise<readonly LockedPackage[]> {
  let bytes: Uint8Array
  try {
    const { size } = await stat(file)
    if (size > MAX_LOCK_FILE_BYTES) throw new Error(`it has ${size} bytes, which no lock file has`)
    bytes = await readFile(file)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Mistake(`file ${quote(file)}: ${reason}`, { cause })
  }
  try {
    return parseLockFile(bytes)
  } catch (cause) {
    if (!(cause instanceof CargoError)) throw cause
    throw new Mistake(`file ${quote(file)}: ${cause.message}`, { cause })
  }
}

/** What is only a warning to a server is in the report. */
function errorsOnly(logger: Logger, before: () => void): Logger {
  const ignore = () => {}
  return {
    ...{ debug: ignore, info: ignore, warn: ignore },
    error(object, message) {
      before()
      logger.error(object, message)
    },
  }
}

function renderReport(report: WarmReport, others: ReadonlyMap<string, number>): string {
  const { fetched, bytes, present, missing, left } = report
  const foreign = [...others.values()].reduce((sum, count) => sum + count, 0)
  const lines = [
    ...missing.map(({ name, version, reason }) => `missing ${name}@${version}: ${reason}`),
    ...[...others].map(([source, count]) => `not ours: ${count} of ${quote(source)}`),
    ...(left > 0 ? [`stopped: ${left} were not looked at`] : []),
    `${fetched} fetched (${renderSize(bytes)}), ${present} already there, ${missing.length} missing, ${foreign} not ours`,
  ]
  return lines.map((line) => `${line}\n`).join('')
}
