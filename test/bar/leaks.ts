import { indexPath } from '../../src/protocol/name.ts'
import { downloadPath } from '../http/proxied.ts'
import { download } from '../support/download.ts'
import { between, pick, randomFrom } from '../support/random.ts'
import { startUplink, type Uplink } from '../support/uplink.ts'
import { CRATE_FAULTS } from '../support/uplink-fault-cases.ts'
import { exactly, type Figure } from './figures.ts'
import { baseline, leftovers } from './leftovers.ts'
import { startRegistryProcess } from './registry-process.ts'
import { stormOptions } from './storm.ts'
import { bounded, type Context, stormCrates } from './storm-uplink.ts'

const PARALLEL = 50
const SEED = 4711

/** Clients that leave at any byte, HEADs, and fetches that fail, of crates that are here and of those that are not. */
export async function leakFigures(
  context: Context,
  { each }: { readonly each: number },
): Promise<readonly Figure[]> {
  const random = randomFrom(SEED)
  const crates = stormCrates(random, 100)
  const uplink = await startUplink(context, { crates, seed: SEED })
  const registry = await startRegistryProcess(context, stormOptions(uplink, 0))
  const names = new Set(crates.map(({ name }) => name))
  for (const name of names) await download(`${registry.url}/${indexPath(name)}`)
  const before = await baseline(registry)
  const versions = [...uplink.versions()]
  const loose = versions.filter(({ name }) => name.startsWith('loose-'))
  const any = (of = versions) => {
    const { name, version, bytes } = pick(random, of)
    return { url: registry.url + downloadPath(name, version), size: bytes?.length ?? 0 }
  }

  await inParallel(each, async () => {
    const { url, size } = any()
    await download(url, { leaveAfter: random() < 0.3 ? 0 : between(random, 1, size), keep: false })
  })
  const afterLeaving = await leftovers(`${each} clients that leave`, registry, uplink, before)
  await inParallel(each, () => download(any().url, { method: 'HEAD' }))
  const afterHeads = await leftovers(`${each} HEADs`, registry, uplink, before)
  spoilAll(uplink, random)
  await inParallel(each, () => download(any(loose).url, { keep: false }))
  uplink.heal()
  const afterFaults = await leftovers(`${each} downloads with a faulty uplink`, registry, uplink, before)
  return [
    ...afterLeaving,
    ...afterHeads,
    ...afterFaults,
    exactly('crashes and unhandled rejections', registry.isRunning() ? 0 : 1, 0),
  ]
}

function spoilAll(uplink: Uplink, random: () => number): void {
  const faults = CRATE_FAULTS.filter(({ fault: { mode } }) => !['ok', 'delay', '429'].includes(mode))
  uplink.fault(/^\/crates\//, () => bounded(pick(random, faults).fault))
}

async function inParallel(count: number, work: () => Promise<unknown>): Promise<void> {
  let left = count
  const worker = async () => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker))
}
