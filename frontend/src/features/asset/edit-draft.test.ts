import { describe, expect, test } from 'vitest'
import { changesBetween, mergeDrafts, type Draft } from './edit-draft.ts'

const base: Draft = { label: 'Cat', description: 'On a mat', tags: ['cat', 'mat'] }

describe('editing', () => {
  test('only what changed is sent, and an empty title never', () => {
    expect(changesBetween(base, { ...base, label: '  ' })).toEqual({})
    expect(changesBetween(base, { ...base, label: 'Cat ', description: '' })).toEqual({ description: '' })
    expect(changesBetween(base, { ...base, tags: ['mat', 'cat'] })).toEqual({})
  })

  test('changes of different fields are both kept', () => {
    expect(mergeDrafts(base, { ...base, label: 'Tom' }, { ...base, description: 'Asleep' })).toEqual({
      merged: { label: 'Tom', description: 'Asleep', tags: ['cat', 'mat'] },
      conflicts: [],
    })
  })

  test('tags are merged as additions and removals of both', () => {
    const { merged, conflicts } = mergeDrafts(
      base,
      { ...base, tags: ['cat', 'red'] },
      { ...base, tags: ['cat', 'mat', 'blue'] },
    )
    expect([merged.tags.toSorted(), conflicts]).toEqual([['blue', 'cat', 'red'], []])
  })

  test('the same field changed differently is asked about, changed alike is not', () => {
    expect(mergeDrafts(base, { ...base, label: 'Tom' }, { ...base, label: 'Kit' }).conflicts).toEqual([
      { field: 'label', mine: 'Tom', theirs: 'Kit' },
    ])
    expect(mergeDrafts(base, { ...base, label: 'Tom' }, { ...base, label: 'Tom' }).conflicts).toEqual([])
  })
})
