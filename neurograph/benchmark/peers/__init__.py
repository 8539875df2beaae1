"""The same networks in other people's tools. Each is imported only when it is asked for and installed; nothing here is needed."""
