import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react'
import { Icon, type IconName } from './icon.tsx'
import styles from './button.module.css'

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: 'plain' | 'outline' | 'primary' | 'danger'
  icon?: IconName
  ref?: Ref<HTMLButtonElement>
}

export function buttonClass(look: NonNullable<ButtonProps['look']> = 'plain', more = ''): string {
  return `${styles.button} ${styles[look]} ${more}`
}

export function Button({ look = 'plain', icon, children, className = '', ...rest }: ButtonProps): ReactNode {
  return (
    <button type="button" {...rest} className={buttonClass(look, className)}>
      {icon && <Icon name={icon} size={18} />}
      {children}
    </button>
  )
}

type IconButtonProps = Omit<ButtonProps, 'children' | 'icon'> & {
  label: string
  icon: IconName
  tip?: 'below' | 'above' | 'start' | 'end'
  size?: number
}

/** A button with a picture for a name: the name is read out and shown on hover and focus. */
export function IconButton({
  label,
  icon,
  look = 'plain',
  className = '',
  tip = 'below',
  size = 20,
  ...rest
}: IconButtonProps): ReactNode {
  const place = { below: '', above: styles.tipAbove, start: styles.tipStart, end: styles.tipEnd }[tip]
  return (
    <button
      type="button"
      aria-label={label}
      data-tip={label}
      {...rest}
      className={buttonClass(look, `${styles.iconOnly} ${styles.tip} ${place} ${className}`)}
    >
      <Icon name={icon} size={size} />
    </button>
  )
}
