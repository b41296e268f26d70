import { type Explanation, explain, type VersionExplanation } from '../protocol/explanation.ts'
import { type CrateRecord, findVersion } from '../protocol/record.ts'
import { IndexConflictError } from '../protocol/upstream-copy.ts'
import { versionKey } from '../protocol/version.ts'
import { UplinkError } from '../uplinks/uplink-error.ts'
import type { Blobs } from './blobs.ts'
import type { PackageRules } from './package-rules.ts'
import { type ProxiedCrate, publishedName } from './upstream/proxied.ts'
import type { Upstream } from './upstream/upstream.ts'

export interface ExplainDeps {
  readonly rules: PackageRules
  readonly blobs: Blobs
  readonly upstream: Upstream
}

/** Why it is not known whether there is a crate. */
interface Unknown {
  readonly problem: string
  readonly copy?: undefined
}

/** Why a crate, and a version of it, is or is not served; `record` is the local crate of that name, if there is one. */
export async function explainCrate(
  { rules, blobs, upstream }: ExplainDeps,
  record: CrateRecord | undefined,
  name: string,
  version: string | undefined,
): Promise<Explanation> {
  const rule = rules.ruleFor(name)?.glob
  const uplinks = record === undefined ? upstream.proxied.uplinksOf(name) : []
  // Read when all is known: an uplink may have failed only just now.
  const about = () => ({
    ...(version !== undefined && { version }),
    ...(rule !== undefined && { rule }),
    proxy: uplinks.map((uplink) => explainUplink(uplink.name, uplink.state())),
  })
  if (record !== undefined) {
    const verdict = version === undefined ? undefined : await localVerdict(blobs, record, version)
    const state = { ...(record.removed && { removed: true }), ...(verdict && { verdict }) }
    return explain({ crate: record.name, ...about(), source: 'local', ...state })
  }
  const found = await look(upstream, name)
  if (found === undefined) return explain({ crate: name, ...about(), source: 'none' })
  if (found.copy === undefined)
    return explain({ crate: name, ...about(), source: 'unknown', problem: found.problem })
  const verdict =
    version === undefined ? undefined : await upstreamVerdict({ blobs, upstream }, found, version)
  return explain({
    crate: publishedName(found),
    ...about(),
    source: 'uplink',
    uplink: found.uplink.name,
    copy: {
      versions: found.entries.length,
      fetched_at: found.copy.fetchedAt,
      age: Math.floor(found.age / 1000),
      stale: found.stale,
      ...(found.problem !== undefined && { problem: found.problem }),
    },
    ...(verdict && { verdict }),
  })
}

/** That an uplink cannot say is an answer here, not a failure. */
async function look(upstream: Upstream, name: string): Promise<ProxiedCrate | Unknown | undefined> {
  try {
    return await upstream.proxied.find(name)
  } catch (error) {
    if (error instanceof UplinkError || error instanceof IndexConflictError) return { problem: error.message }
    throw error
  }
}

function explainUplink(name: string, { asked, lastError }: ReturnType<ProxiedCrate['uplink']['state']>) {
  return { name, asked, ...(lastError !== undefined && { last_error: lastError }) }
}

async function localVerdict(
  blobs: Blobs,
  record: CrateRecord,
  version: string,
): Promise<VersionExplanation | undefined> {
  const found = findVersion(record, version)
  if (found === undefined) {
    if (!record.removedVersions.has(versionKey(version))) return undefined
    return {
      served: false,
      yanked: false,
      reason: 'it was removed, and its number stays taken',
      stored: false,
    }
  }
  const { yanked, cksum } = found.entry
  const reason = `it was published by \`${found.by}\` at ${found.at}${yanked ? ' and yanked since' : ''}`
  return { served: true, yanked, reason, stored: (await blobs.stat(cksum)) !== undefined }
}

async function upstreamVerdict(
  { blobs, upstream }: Pick<ExplainDeps, 'blobs' | 'upstream'>,
  crate: ProxiedCrate,
  version: string,
): Promise<VersionExplanation | undefined> {
  const entry = crate.entries.find(({ vers }) => vers === version)
  if (entry === undefined) return undefined
  const stored = (await blobs.stat(entry.cksum)) !== undefined
  const judged = upstream.policy.judge(crate, version)
  switch (judged.verdict) {
    case 'denied':
      return { served: false, yanked: entry.yanked, reason: judged.reason, stored }
    case 'young':
      return {
        served: true,
        yanked: true,
        reason: `it was ${judged.reason} and is younger than \`min_age\` until ${judged.until}`,
        until: judged.until,
        stored,
      }
    case 'served':
      return {
        served: true,
        yanked: entry.yanked,
        reason: entry.yanked ? 'its owners yanked it' : 'no rule keeps it back',
        stored,
      }
  }
}
