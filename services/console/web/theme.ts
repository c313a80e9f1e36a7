// Dark or light: the system's, until somebody chooses. The choice is kept in this browser alone.
export type Theme = "system" | "light" | "dark";

const key = "sealane-theme";
const isTheme = (text: string | null): text is Theme =>
  text === "system" || text === "light" || text === "dark";

export const chosenTheme = (): Theme => {
  try {
    const kept = localStorage.getItem(key);
    return isTheme(kept) ? kept : "system";
  } catch {
    return "system"; // storage is switched off
  }
};

export const applyTheme = (theme: Theme): void => {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    localStorage.setItem(key, theme);
  } catch {
    // Then it is chosen again next time.
  }
};
