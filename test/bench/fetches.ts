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
  readonly index: string
  readonly fetches: ColdFetch[]
}

interface Ways {
  readonly ours: Way
  readonly nginx: Way
}

/** Real cargo on plain http: through us, who have all it needs, and from nginx; on loopback and from afar. */
export async function fetchCases({ folder: stageFolder, redis, endings }: Stage): Promise<readonly Case[]> {
  const folder = await mkdtemp(join(stageFolder, 'fetches-'))
  const { crates, manifest, locked } = generatedWorkspace(1, LAYERS)
  const uplink = await serveUplink({ crates })
  endings.add(() => uplink.close())
  const spec = { folder, redis, uplinks: { near: uplink.url }, open: true, h2c: true }
  const root = await writeSite(folder, siteOf(crates))
  const [far, farNginx] = await endings.started(startDistance(ROUND_TRIP_MS), startDistance(ROUND_TRIP_MS))
  const [near, registry, nginx] = await endings.started(
    startRegistry({ ...spec, name: 'fetches' }),
    startRegistry({ ...spec, name: 'far-fetches', publicUrl: far.origin }),
    startNginx(folder, root),
  )
  far.to(portOf(registry.url))
  farNginx.to(portOf(nginx.url))
  const loopback: Ways = { ours: wayTo(near.url), nginx: wayTo(nginx.url) }
  const away: Ways = { ours: wayTo(`${far.origin}/cargo`), nginx: wayTo(farNginx.origin) }
  const cold = (where: string) => `cold cargo fetch, ${locked} crates, ${where}`
  const afar = `${ROUND_TRIP_MS} ms away`
  return [
    {
      ...fetchCase('cargo, loopback', loopback, manifest),
      quickRounds: 3,
      rows: () => [{ ...rowOf(cold('loopback'), loopback, 'seconds'), goal: atMost(1.05, 0.95) }],
    },
    {
      ...fetchCase('cargo, away', away, manifest, true),
      quickRounds: 1,
      rows: () => [
        { ...rowOf(cold(afar), away, 'seconds'), goal: atMost(0.2, 0.14) },
        { ...rowOf(`cargo update, ${afar}`, away, 'updateSeconds'), goal: atMost(0.15, 0.11) },
      ],
    },
  ]
}

function fetchCase(name: string, ways: Ways, manifest: string, update = false): Omit<Case, 'rows'> {
  const fetch = ({ index }: Way, updates: boolean) =>
    fetchCold(manifest, { registries: { ours: `sparse+${index}/` }, config: REPLACED }, { update: updates })
  return {
    name,
    async warmUp() {
      await fetch(ways.ours, false)
    },
    async round(number) {
      for (const way of rotate([ways.ours, ways.nginx], number)) way.fetches.push(await fetch(way, update))
    },
  }
}

function wayTo(index: string): Way {
  return { index, fetches: [] }
}

function rowOf(name: string, { ours, nginx }: Ways, what: 'seconds' | 'updateSeconds'): Omit<Row, 'goal'> {
  const of = ({ fetches }: Way) => fetches.map((it) => it[what] ?? Number.NaN)
  return {
    ...{ name: `${name} ÷ nginx, HTTP/1.1`, unit: 's', figure: 'ratio' },
    ...{ ours: of(ours), theirs: of(nginx) },
  }
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
