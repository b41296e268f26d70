import { summarize, summarizeCopy } from '../catalogue/entry.ts'
import { CATALOGUE, changeKey, KEPT_CATALOGUE } from '../keys.ts'
import { reliableStorage } from '../reliable-storage.ts'
import { scanBlobs, type Unreferenced } from './blob-scan.ts'
import { scanCatalogue } from './catalogue-scan.ts'
import type { Check, Finding, VerifyCounts } from './check.ts'
import { scanCopies } from './copy-scan.ts'
import { scanDownloads, scanTrail } from './download-scan.ts'
import { scanLogs } from './log-scan.ts'

/** How a verification ended. */
export interface VerifyReport {
  readonly counts: VerifyCounts
  readonly findings: number
  readonly repaired: number
  /** Blobs that nobody references; `undefined` when it was stopped before everything was looked at. */
  readonly unreferenced: Unreferenced | undefined
}

export interface VerifyDeps extends Omit<Check, 'storage' | 'counts'> {
  readonly storage: Parameters<typeof reliableStorage>[0]
}

/**
 * Looks at everything in the store, while servers go on working with it: hashes every blob, folds every log, compares
 * checkpoints and catalogues with it, and reads every copy of an uplink's index file and every count of downloads. Every finding is reported once.
 * @throws {CargoError} when the store is away
 */
export async function verifyStorage(deps: VerifyDeps): Promise<VerifyReport> {
  const counts = {
    blobs: 0,
    crates: 0,
    changes: 0,
    checkpoints: 0,
    copies: 0,
    catalogues: 0,
    downloads: 0,
    trail: 0,
    entered: 0,
    unsealed: 0,
  }
  const total = { findings: 0, repaired: 0 }
  const report = (finding: Finding) => {
    total.findings += 1
    total.repaired += Number(finding.repaired)
    deps.report(finding)
  }
  const check: Check = { ...deps, storage: reliableStorage(deps.storage), counts, report }
  const unreferenced = await verifyAll(check)
  return { counts, ...total, unreferenced }
}

/** In this order, whatever is stored meanwhile has what it needs in what is looked at later. */
async function verifyAll(check: Check): Promise<Unreferenced | undefined> {
  const blobs = await scanBlobs(check)
  const local = await scanCatalogue(check, CATALOGUE)
  await scanLogs(check, blobs, (name, record) =>
    record === undefined ? local.ignore(name) : local.expect(summarize(record), record.updated),
  )
  const kept = await scanCatalogue(check, KEPT_CATALOGUE)
  await scanCopies(check, blobs, (name, copy) => kept.expect(summarizeCopy(name, copy), copy.fetchedAt))
  await scanDownloads(check)
  await scanTrail(check)
  if (check.signal.aborted) return undefined
  await local.settle(async (name) => (await check.storage.stat(changeKey(name, 1))) !== undefined)
  await kept.settle(async () => true)
  await blobs.settle()
  return blobs.unreferenced()
}
