"""Parts that neither the speed nor the quality study holds, each by what it is for."""
