@arc
env false
shared false
views false
hydrate false
