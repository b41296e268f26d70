import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { indexPath } from '../../src/protocol/name.ts'
import { generatedWorkspace } from '../support/generated-workspace.ts'
import { serveUplink } from '../support/uplink.ts'
import { uplinkContent } from '../support/uplink-content.ts'
import { type ColdFetch, fetchCold } from './cargo-fetch.ts'
import { type Case, rotate } from './contest.ts'
import { startDistance } from './distance.ts'
import { startNginx, writeSite } from './nginx.ts'
import { startRegistry } from './registry.ts'
import { atMost, type Row } from './rows.ts'
import type { Stage } from './stage.ts'

/** Of 150 crates, those that only windows needs included. */
const LAYERS = [34, 32, 25, 19, 13, 9, 6]
const ROUND_TRIP_MS = 20
const REPLACED = { source: { 'crates-io': { 'replace-with': 'ours' } } }

interface Way {
  readonly who: 'ours' | 'nginx'
  readonly isFar: boolean
  readonly index: string
  readonly fetches: ColdFetch[]
}

/** Real cargo on plain http: through us, who have all it needs, and from nginx; on loopback and from afar. */
export async function fetchCase({ folder: stageFolder, redis, end }: Stage): Promise<Case> {
  const folder = await mkdtemp(join(stageFolder, 'fetches-'))
  const { crates, manifest, locked } = generatedWorkspace(1, LAYERS)
  const uplink = await serveUplink({ crates })
  end(() => uplink.close())
  const spec = { folder, redis, uplinks: { near: uplink.url }, open: true, h2c: true }
  const near = await startRegistry({ ...spec, name: 'fetches' })
  end(() => near.stop())
  const far = await away()
  const registry = await startRegistry({ ...spec, name: 'far-fetches', publicUrl: far.origin })
  end(() => registry.stop())
  far.to(portOf(registry.url))
  const nginx = await startNginx(folder, await writeSite(folder, siteOf(crates)))
  end(() => nginx.stop())
  const farNginx = await away()
  farNginx.to(portOf(nginx.url))
  const ways: readonly Way[] = [
    { who: 'ours', isFar: false, index: near.url, fetches: [] },
    { who: 'nginx', isFar: false, index: nginx.url, fetches: [] },
    { who: 'ours', isFar: true, index: `${far.origin}/cargo`, fetches: [] },
    { who: 'nginx', isFar: true, index: farNginx.origin, fetches: [] },
  ]

  async function away(): Promise<Awaited<ReturnType<typeof startDistance>>> {
    const distance = await startDistance(ROUND_TRIP_MS)
    end(() => distance.stop())
    return distance
  }
  const fetch = ({ index }: Way, update: boolean) =>
    fetchCold(manifest, { registries: { ours: `sparse+${index}/` }, config: REPLACED }, { update })
  return {
    name: 'cargo',
    isSlow: true,
    async warmUp() {
      for (const way of ways) if (way.who === 'ours' || !way.isFar) await fetch(way, false)
    },
    async round(number) {
      for (const way of rotate(ways, number)) way.fetches.push(await fetch(way, way.isFar))
    },
    rows: () => fetchRows(ways, locked),
  }
}

function fetchRows(ways: readonly Way[], crates: number): readonly Row[] {
  const of = (who: Way['who'], far: boolean, what: 'seconds' | 'updateSeconds') =>
    ways
      .filter((way) => way.who === who && way.isFar === far)
      .flatMap(({ fetches }) => fetches.map((it) => it[what] ?? Number.NaN))
  const row = (name: string, far: boolean, what: 'seconds' | 'updateSeconds'): Omit<Row, 'goal'> => ({
    ...{ name: `${name} ÷ nginx, HTTP/1.1`, unit: 's', figure: 'ratio' },
    ...{ ours: of('ours', far, what), theirs: of('nginx', far, what) },
  })
  return [
    { ...row(`cold cargo fetch, ${crates} crates, loopback`, false, 'seconds'), goal: atMost(1.05, 0.95) },
    {
      ...row(`cold cargo fetch, ${crates} crates, ${ROUND_TRIP_MS} ms away`, true, 'seconds'),
      goal: atMost(0.2, 0.14),
    },
    { ...row(`cargo update, ${ROUND_TRIP_MS} ms away`, true, 'updateSeconds'), goal: atMost(0.15, 0.11) },
  ]
}

function siteOf(crates: ReturnType<typeof generatedWorkspace>['crates']) {
  const content = uplinkContent(crates)
  const files: Record<string, Uint8Array> = {}
  for (const { name, version, bytes } of crates) {
    const index = content.index(name)
    if (index !== undefined) files[`/${indexPath(name)}`] = index.body
    if (bytes !== undefined) files[`/api/v1/crates/${name}/${version}/download`] = bytes
  }
  return { files, isPacked: (path: string) => !path.endsWith('/download') }
}

function portOf(url: string): number {
  return Number(new URL(url).port)
}
