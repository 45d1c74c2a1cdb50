// Before anything is painted: whoever works in the dark is not dazzled by a page that is still coming.
{
  const kept = localStorage.getItem("devicehub.theme");
  if (["dark", "night"].includes(kept)) document.documentElement.dataset.theme = kept;
}
