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

/** Writes the parts of a whole run, with the machine and the versions that they are of. */
export async function keep(parts: readonly string[]): Promise<void> {
  const head = `Written by \`npm run bench\` ${await madeOn()}.`
  await writeFile(FILE, `${['# Results', head, ...parts].join('\n\n').trimEnd()}\n`)
}

/** When, and on what machine with which programs. */
export async function madeOn(): Promise<string> {
  const [cpu] = cpus()
  const machine = `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB`
  return `on ${new Date().toISOString().slice(0, 10)}: ${machine}; ${(await versions()).join(', ')}`
}

/** Ratios by the name of their row. */
export type KeptRatios = ReadonlyMap<string, number>

/** The ratios of the last whole run. */
export async function keptRatios(): Promise<KeptRatios> {
  return parseRatios(await readFile(FILE, 'utf8'))
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
