import { t } from '@lingui/core/macro'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useId, useState, type KeyboardEvent, type ReactNode } from 'react'
import { api } from '../lib/api.ts'
import { useDebounced } from '../lib/use-debounced.ts'
import { Icon } from './icon.tsx'
import styles from './tag-input.module.css'

type TagInputProps = {
  tags: readonly string[]
  onChange: (tags: string[]) => void
  label: string
  autoFocus?: boolean
  placeholder?: string
  readOnly?: boolean
}

const longestTag = 100

/** Tags as removable chips with completion from those in use. Enter or comma adds, Backspace takes the last one back. */
export function TagInput({ tags, onChange, label, autoFocus, placeholder, readOnly }: TagInputProps): ReactNode {
  const id = useId()
  const [text, setText] = useState('')
  const [active, setActive] = useState(-1)
  const [focused, setFocused] = useState(false)
  const wanted = useDebounced(text.trim(), 120)
  const known = useQuery({
    queryKey: ['tags', wanted],
    queryFn: async ({ signal }) =>
      (await api('listTags', { query: { ...(wanted ? { q: wanted } : {}), page_size: 8 } }, { signal })).data.results,
    enabled: focused && !readOnly,
    placeholderData: keepPreviousData,
  })
  const options = focused
    ? (known.data ?? [])
        .map((tag) => tag.name)
        .filter((name) => !tags.includes(name))
        .slice(0, 6)
    : []
  const add = (raw: string): void => {
    const names = raw
      .split(',')
      .map((name) => name.trim().slice(0, longestTag))
      .filter((name) => name && !tags.includes(name))
    if (names.length > 0) onChange([...tags, ...new Set(names)])
    setText('')
    setActive(-1)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if ((event.key === 'Enter' || event.key === ',') && !event.nativeEvent.isComposing) {
      const chosen = options[active] ?? text
      if (chosen.trim()) {
        event.preventDefault()
        add(chosen)
      } else if (event.key === ',') event.preventDefault()
    } else if (event.key === 'Backspace' && text === '' && tags.length > 0) onChange(tags.slice(0, -1))
    else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && options.length > 0) {
      event.preventDefault()
      setActive((now) => (now + (event.key === 'ArrowDown' ? 1 : -1) + options.length + 1) % (options.length + 1))
    } else if (event.key === 'Escape' && (text !== '' || active >= 0)) {
      event.stopPropagation()
      setText('')
      setActive(-1)
    }
  }
  if (readOnly) {
    return (
      <ul className={styles.readOnly} aria-label={label}>
        {tags.map((tag) => (
          <li key={tag} className={styles.tag}>
            <bdi>{tag}</bdi>
          </li>
        ))}
      </ul>
    )
  }
  return (
    <div className={styles.wrap}>
      <div className={styles.box}>
        {tags.map((tag) => (
          <span key={tag} className={styles.tag}>
            <bdi>{tag}</bdi>
            <button
              type="button"
              aria-label={t`Remove tag ${tag}`}
              onClick={() => onChange(tags.filter((other) => other !== tag))}
            >
              <Icon name="close" size={12} />
            </button>
          </span>
        ))}
        <input
          className={styles.input}
          dir="auto"
          value={text}
          autoFocus={autoFocus}
          role="combobox"
          aria-label={label}
          aria-expanded={options.length > 0}
          aria-controls={options.length > 0 ? id : undefined}
          aria-autocomplete="list"
          aria-activedescendant={active >= 0 && options[active] ? `${id}-${active}` : undefined}
          placeholder={tags.length === 0 ? (placeholder ?? t`Add tags`) : ''}
          maxLength={longestTag}
          onChange={(event) => {
            setText(event.target.value)
            setActive(-1)
          }}
          onKeyDown={onKeyDown}
          onFocus={() => setFocused(true)}
          onBlur={() => {
            setFocused(false)
            if (text.trim()) add(text)
          }}
        />
      </div>
      {options.length > 0 && (
        <ul id={id} role="listbox" aria-label={t`Known tags`} className={styles.options}>
          {options.map((name, index) => (
            <li
              key={name}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              className={styles.option}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => add(name)}
            >
              <bdi>{name}</bdi>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
