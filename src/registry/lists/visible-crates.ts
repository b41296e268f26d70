import type { PackageRule } from '../../options.ts'
import type { Access, Caller } from '../access.ts'
import type { Block } from '../catalogue/block.ts'
import { type Column, createColumn } from '../catalogue/columns.ts'
import type { Visibility } from '../catalogue/query.ts'
import type { CrateTable } from '../catalogue/table.ts'
import type { PackageRules } from '../package-rules.ts'

/**
 * The crates of one catalogue that somebody may see. What the rules show is all there is to ask, unless there is
 * {@link VisibleCrates.confirm}.
 */
export interface VisibleCrates extends Visibility {
  readonly table: CrateTable
  /** What else must agree to a crate that the rules show, and takes asking. */
  readonly confirm?: (row: number) => Promise<boolean>
  /** Of two with the same key the same rows are visible, as long as the catalogues do not change. */
  readonly key?: string
}

/** Crates of uplinks, and who has them. */
export interface KeptCrates {
  readonly table: CrateTable
  /** Whether the rules ask one of these uplinks for crates under the rule. */
  isOffered(rule: PackageRule): boolean
  /** Whether something about versions may hide crates under the rule, which takes a look at each. */
  isDoubtful(rule: PackageRule): boolean
  isDenied(name: string, version: string): boolean
  /** Differs when others are offered. */
  readonly key: string
}

/** Finds out what callers may see. */
export interface CrateSight {
  /**
   * Finds the rules for crates that are new in a catalogue. It takes a while the first time, and then no longer falls to
   * whoever is the first to see many crates.
   */
  learn(table: CrateTable, pause: () => Promise<void>): Promise<void>
  local(caller: Caller, table: CrateTable): VisibleCrates
  /** Of the crates of uplinks those that are not local: a name is one or the other. */
  kept(caller: Caller, kept: KeptCrates, local: CrateTable): VisibleCrates
}

/** Rows whose rules are found before others get a turn. */
const PART = 256

/** The number of the first rule: 0 is not known yet, 1 is no rule. */
const FIRST = 2

export function createCrateSight(access: Access, rules: PackageRules): CrateSight {
  const columns = new WeakMap<CrateTable, Column<Uint16Array>>()
  /** Rows up to here have their numbers. */
  const known = new WeakMap<CrateTable, number>()
  /** Of blocks, as far as they have been looked at. */
  const inBlocks = new WeakMap<Block, { size: number; readonly numbers: Set<number> }>()

  /** The number of the rule for a row, looked for once: rows keep their names. */
  function ruleNumbers(table: CrateTable): (row: number) => number {
    const column = columns.get(table) ?? createColumn(Uint16Array)
    columns.set(table, column)
    const { values } = column
    const find = (row: number) => {
      const number = rules.placeFor(table.nameOf(row)) + FIRST
      column.set(row, number)
      return number
    }
    return (row) => values[row] || column.get(row) || find(row)
  }

  /** The numbers of the rules for all entries of a block, those that have moved included. */
  function numbersIn(block: Block, numberOf: (row: number) => number): ReadonlySet<number> {
    const known = inBlocks.get(block) ?? { size: 0, numbers: new Set() }
    for (; known.size < block.size; known.size++) known.numbers.add(numberOf(block.rows[known.size] ?? 0))
    inBlocks.set(block, known)
    return known.numbers
  }

  /** By number of a rule, whether crates under it are shown. */
  function shown(test: (rule: PackageRule) => boolean): readonly boolean[] {
    return [false, false, ...rules.all.map(({ rule }) => test(rule))]
  }

  return {
    async learn(table, pause) {
      const numberOf = ruleNumbers(table)
      const end = table.rows
      for (let row = known.get(table) ?? 0; row < end; row++) {
        numberOf(row)
        if (row % PART === 0) await pause()
      }
      known.set(table, end)
    },

    local(caller, table) {
      const { byRule, byName } = access.reader(caller)
      const isShown = shown(byRule)
      const numberOf = ruleNumbers(table)
      return {
        table,
        isVisible: (row) => isShown[numberOf(row)] === true,
        seesAll: (block) => [...numbersIn(block, numberOf)].every((number) => isShown[number]),
        ...(byName ? { confirm: (row) => byName(table.spellingOf(row)) } : { key: isShown.join() }),
      }
    },

    kept(caller, { table, isOffered, isDoubtful, isDenied, key }, local) {
      const { byRule, byName } = access.reader(caller)
      const isShown = shown((rule) => isOffered(rule) && byRule(rule))
      const doubtful = shown(isDoubtful)
      const numberOf = ruleNumbers(table)
      const isServed = async (row: number) => {
        if (!doubtful[numberOf(row)]) return true
        const [entry] = await table.entriesOf([row])
        return entry !== undefined && !isDenied(entry.name, entry.max_version)
      }
      const needsAsking = byName !== undefined || doubtful.includes(true)
      return {
        table,
        isVisible: (row) => isShown[numberOf(row)] === true && local.rowOf(table.nameOf(row)) === undefined,
        ...(needsAsking && {
          confirm: async (row) => (await isServed(row)) && (await (byName?.(table.spellingOf(row)) ?? true)),
        }),
        ...(!needsAsking && { key: `${key} ${local.rows} ${isShown.join()}` }),
      }
    },
  }
}
