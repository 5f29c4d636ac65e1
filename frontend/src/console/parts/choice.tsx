import { useId, type ReactNode } from 'react'
import styles from './choice.module.css'

/** One of some, in the system's own menu. */
export function Choice({
  label,
  name,
  value,
  options,
  onChange,
}: {
  label: string
  /** Where the label alone does not say whose it is. */
  name?: string
  value: string
  options: readonly (readonly [value: string, label: string])[]
  onChange: (value: string) => void
}): ReactNode {
  const id = useId()
  return (
    <span className={styles.choice}>
      <label htmlFor={id}>{label}</label>
      <select id={id} aria-label={name} value={value} onChange={(event) => onChange(event.target.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </span>
  )
}
