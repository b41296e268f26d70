import type { Writable } from 'node:stream'
import { parseOptions } from '../options.ts'
import { collectGarbage, type GcReport, type Removed } from '../registry/care/gc.ts'
import { createDownloadCounts } from '../registry/download-counts.ts'
import { reliableStorage } from '../registry/reliable-storage.ts'
import type { ConfigSources } from './config-sources.ts'
import { createLogger } from './logger.ts'
import { pluginOptions } from './plugin-options.ts'
import { renderSize } from './progress.ts'
import { withStore } from './with-store.ts'

/** What the command works with. */
export interface GcParts {
  readonly out: Writable
  /** What is younger is left alone, in milliseconds. */
  readonly grace: number
  readonly dryRun: boolean
  readonly signal: AbortSignal
}

/**
 * The `gc` command: removes what nobody needs from the configured storage, and tells on `out` how much it was. Servers
 * on the same storage go on serving.
 * @throws {ConfigError | Mistake} for what the operator has to put right
 */
export async function collect(sources: ConfigSources, parts: GcParts): Promise<void> {
  const report = await withStore(sources, async (storage, config) => {
    const { retention } = parseOptions(pluginOptions(config, sources.environment))
    const [now, monotonic] = [() => new Date(), () => performance.now()]
    const logger = createLogger()
    const downloads = createDownloadCounts({ storage: reliableStorage(storage), logger, now, monotonic })
    return collectGarbage({ ...parts, storage, downloads, retention, now })
  })
  parts.out.write(renderReport(report, parts.dryRun))
}

function renderReport({ orphans, expired, leftovers, kept }: GcReport, dryRun: boolean): string {
  const lines = [
    `${amount(orphans)} that nobody referenced`,
    `${amount(expired)} of uplinks by \`retention\``,
    `${leftovers} leftovers of ended processes`,
  ].map((line) => `${dryRun ? 'would remove' : 'removed'} ${line}\n`)
  return `${lines.join('')}${amount(kept)} stay\n`
}

function amount({ count, bytes }: Removed): string {
  return `${count} ${count === 1 ? 'blob' : 'blobs'}, ${renderSize(bytes)},`
}
