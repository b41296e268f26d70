import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { median, type Row, ratiosOf } from './rows.ts'

const run = promisify(execFile)
const FILE = join(import.meta.dirname, 'RESULTS.md')
/** A ratio may be so much worse than the one that is kept. */
const SLACK = 0.25

const TITLE = '# Results'
const PREFACE =
  'Of each kind of machine the last whole run. Against nginx, whose work the kernel does, the same code is half as fast on one as on the other: a quick run is judged by what is kept of its own kind.'
const HEADING = /^## (.+)$/m

/** Writes the parts of a whole run, with the versions that they are of, in place of what was kept of this kind of machine. */
export async function keep(parts: readonly string[]): Promise<void> {
  const text = [`Written by \`npm run bench\` ${await madeOn()}.`, ...parts].join('\n\n').trimEnd()
  const sections = new Map([...sectionsOf(await readFile(FILE, 'utf8')), [machine(), text]])
  const written = [...sections].map(([name, section]) => `## ${name}\n\n${section}`)
  await writeFile(FILE, `${[TITLE, PREFACE, ...written].join('\n\n')}\n`)
}

/** The text below each heading, by what the heading says. */
export function sectionsOf(text: string): ReadonlyMap<string, string> {
  const [, ...parts] = text.split(HEADING)
  const sections = new Map<string, string>()
  for (let at = 0; at < parts.length; at += 2) sections.set(parts[at] ?? '', parts[at + 1]?.trim() ?? '')
  return sections
}

/** Processors, and what they are. */
function machine(): string {
  const [cpu] = cpus()
  return `${cpus().length} × ${cpu?.model.trim()}`
}

/** When, and on what machine with which programs. */
export async function madeOn(): Promise<string> {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const day = new Date().toISOString().slice(0, 10)
  return `on ${day}: ${machine()}, ${memory}; ${(await versions()).join(', ')}`
}

/** Ratios by the name of their row. */
export type KeptRatios = ReadonlyMap<string, number>

/**
 * The ratios of the last whole run on this kind of machine.
 * @throws when there are none: those of another kind say nothing here
 */
export async function keptRatios(): Promise<KeptRatios> {
  const section = sectionsOf(await readFile(FILE, 'utf8')).get(machine())
  if (section === undefined)
    throw new Error(
      `no ratios are kept of ${machine()}: \`npm run bench\` measures and keeps them, in 11 minutes`,
    )
  return parseRatios(section)
}

/** The ratios in a table of `renderRows()`, which are the figures without a unit. */
export function parseRatios(text: string): KeptRatios {
  const rows = text.split('\n')
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()))
  return new Map(
    cells.flatMap(([, name = '', , , ratio = '']) =>
      /^\d+\.\d+$/.test(ratio) ? [[name, Number(ratio)]] : [],
    ),
  )
}

/** What a row is judged by; `undefined`: it is not. */
export function keptRatio(row: Row, kept: KeptRatios): number | undefined {
  return row.figure === 'ratio' && row.unjudged === undefined ? kept.get(row.name) : undefined
}

/**
 * How a row has become worse than the kept ratios allow, in words; `undefined`: it has not. Judged is the median of
 * the rounds' own ratios: what else the machine does strikes both sides of a round rather than all rounds alike.
 */
export function regression(row: Row, kept: KeptRatios): string | undefined {
  const before = keptRatio(row, kept)
  if (before === undefined) return undefined
  const ratio = median(ratiosOf(row))
  const wants = row.goal?.wants ?? row.wants ?? 'more'
  const isWorse = wants === 'more' ? ratio < before * (1 - SLACK) : ratio > before * (1 + SLACK)
  return isWorse ? `${row.name}: ${ratio.toFixed(2)}, it was ${before.toFixed(2)}` : undefined
}

async function versions(): Promise<readonly string[]> {
  const said = async (program: string, flag: string, pattern: RegExp) => {
    const { stdout, stderr } = await run(program, [flag])
    return pattern.exec(stdout + stderr)?.[0] ?? program
  }
  return [
    `Node ${process.version}`,
    await said('nginx', '-v', /nginx\/\S+/),
    await said('redis-server', '--version', /Redis server v=\S+/),
    await said('cargo', '--version', /cargo \S+/),
  ]
}
