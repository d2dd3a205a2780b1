"""The auditor: it hears what clients ask and are answered, sees what is written and sent, and says
what should not have been. It knows the rules, and none of the code that keeps them."""
