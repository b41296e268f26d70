/** Places in the turns of the event loop: so many in each; who finds none left waits for one of the next turns. */
export interface Places {
  /** Resolves when there is a place: those who begin come before all others, and each in the order of asking. */
  take(isBeginning?: boolean): Promise<void>
}

export interface PlacesSpec {
  /** Places in a turn for those who begin. */
  readonly beginning: number
  /** For all others, as far as those who begin leave them. */
  readonly others: number
}

/** Keeps a crowd from having the loop for itself: between its turns everybody else is heard and answered. */
export function createPlaces(perTurn: PlacesSpec): Places {
  const beginning: (() => void)[] = []
  const others: (() => void)[] = []
  let taken = 0

  function nextTurn(): void {
    const first = beginning.splice(0, perTurn.beginning)
    const next = first.concat(others.splice(0, Math.max(0, perTurn.others - first.length)))
    taken = next.length
    if (taken > 0) setImmediate(nextTurn)
    for (const go of next) go()
  }

  return {
    take(isBeginning = false) {
      if (taken < (isBeginning ? perTurn.beginning : perTurn.others)) {
        taken += 1
        if (taken === 1) setImmediate(nextTurn)
        return Promise.resolve()
      }
      return new Promise((resolve) => (isBeginning ? beginning : others).push(resolve))
    },
  }
}
