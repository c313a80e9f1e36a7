// Addresses without a library: the path is the state, links are real links, back and forward work.
import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from "react";

const changed = "sealane-navigated";

const subscribe = (listener: () => void): (() => void) => {
  addEventListener("popstate", listener);
  addEventListener(changed, listener);
  return () => {
    removeEventListener("popstate", listener);
    removeEventListener(changed, listener);
  };
};

export const usePath = (): string => useSyncExternalStore(subscribe, () => location.pathname);

/** What the address asks for: filters live there, so that a list can be linked to. */
export const useQueryText = (): string => useSyncExternalStore(subscribe, () => location.search);

export const navigate = (to: string): void => {
  if (to === location.pathname + location.search) return;
  history.pushState(null, "", to);
  dispatchEvent(new Event(changed));
  scrollTo(0, 0);
};

type LinkProps = AnchorHTMLAttributes<HTMLAnchorElement> & { readonly to: string };

export const Link = ({ to, children, ...rest }: LinkProps) => {
  const onClick = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
      return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a href={to} onClick={onClick} {...rest}>
      {children}
    </a>
  );
};
