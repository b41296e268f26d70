import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { fsStorage } from '../hosts/fs.ts'
import { type CopyReport, type CopySpec, copyObjects } from '../registry/care/copy-objects.ts'
import { type ConfigSources, loadConfig } from './config-sources.ts'
import type { StorageConfig } from './config-storage.ts'
import { Mistake } from './mistake.ts'
import { createCounter, type ProgressStream, renderSize } from './progress.ts'
import { reasonOf } from './reason.ts'
import { findNoFolder, isWithin } from './registry-folder.ts'
import { type OpenStorage, openStorage } from './storage.ts'
import { verify } from './verify.ts'
import { withStore } from './with-store.ts'

/** There as long as a restore has not come to its end, so that the next one goes on. */
const UNFINISHED = 'restore/unfinished.json'

/** What the commands work with. */
export interface BackupParts {
  readonly out: Writable
  readonly err: ProgressStream
  readonly signal: AbortSignal
}

/**
 * The `backup` command: copies the configured storage to a folder, while servers go on serving; a second one to the
 * same folder copies what is new. Whether it came to its end.
 * @throws {ConfigError | Mistake} for what the operator has to put right
 */
export async function backUp(sources: ConfigSources, folder: string, parts: BackupParts): Promise<boolean> {
  const path = resolve(sources.workingDirectory, folder)
  const report = await withStore(sources, async (from, { storage }) => {
    await mustBeElsewhere(path, storage)
    return copied({ from, to: fsStorage(path), isMirror: true }, parts)
  })
  parts.out.write(renderReport(report))
  return report !== undefined
}

/**
 * The `restore` command: copies such a folder into the configured storage, makes what is derived anew and looks at all
 * of it. Whether everything is well.
 * @throws {ConfigError | Mistake} also when there is something in the storage already, unless `force` is given
 */
export async function restore(
  sources: ConfigSources,
  { folder, force }: { readonly folder: string; readonly force: boolean },
  parts: BackupParts,
): Promise<boolean> {
  const path = resolve(sources.workingDirectory, folder)
  const problem = await findNoFolder(path)
  if (problem !== undefined) throw new Mistake(problem)
  const config = await loadConfig(sources)
  await mustBeElsewhere(path, config.storage)
  const storage = await openStorage(config.storage, sources)
  const report = await refill(storage, path, force, parts).finally(storage.close)
  parts.out.write(renderReport(report))
  return report !== undefined && (await verify(sources, { ...parts, repair: true, isRestored: true }))
}

/** A copy in the storage itself would be taken for a part of it. */
async function mustBeElsewhere(path: string, { s3, fs }: StorageConfig): Promise<void> {
  if (s3 !== undefined || !(await isWithin(fs.path, path))) return
  throw new Mistake(`folder \`${path}\` is in the storage itself, \`${fs.path}\`: name one elsewhere`)
}

async function refill(
  { store, name }: OpenStorage,
  path: string,
  force: boolean,
  parts: BackupParts,
): Promise<CopyReport | undefined> {
  try {
    const isBegun = (await store.stat(UNFINISHED)) !== undefined
    for await (const { key } of store.list('crates/')) {
      if (force || isBegun) break
      throw new Mistake(
        `${name} has crates already, such as \`${key}\`: empty it, or give \`--force\` to add what is not there`,
      )
    }
    if (!isBegun) await store.put(UNFINISHED, Buffer.from('{}'))
    const report = await copied({ from: fsStorage(path), to: store, isMirror: false }, parts)
    if (report !== undefined) await store.delete(UNFINISHED)
    if (report?.written === 0 && report.present === 0)
      throw new Mistake(`there is no backup at \`${path}\`: nothing in it is of a registry`)
    return report
  } catch (cause) {
    if (cause instanceof Mistake) throw cause
    throw new Mistake(`${name}: ${reasonOf(cause)}`, { cause })
  }
}

async function copied(
  copy: Omit<CopySpec, 'signal' | 'step'>,
  { err, signal }: BackupParts,
): Promise<CopyReport | undefined> {
  const progress = createCounter(err, 'objects', () => performance.now())
  try {
    return await copyObjects({ ...copy, signal, step: progress.step })
  } finally {
    progress.clear()
  }
}

function renderReport(report: CopyReport | undefined): string {
  if (report === undefined) return 'stopped: the next run goes on from here\n'
  return `${report.written} objects copied, ${renderSize(report.bytes)}; ${report.present} were there already\n`
}
