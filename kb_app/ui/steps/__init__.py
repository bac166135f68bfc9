"""The two ways out of an entry as columns of steps: mitigate, fix forward."""
